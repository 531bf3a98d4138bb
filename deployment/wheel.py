"""The metadata that the installed project takes from `config/`, where it stands once; hatchling calls this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Requirements(MetadataHookInterface):
    """The packages that the platform imports are the lines of `config/requirements.in`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add them to `metadata`."""
        lines = Path(self.root, "config", "requirements.in").read_text(encoding="utf-8").splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]
