"""The versions of images: read from `config/.env`, which Docker Compose reads too."""

from __future__ import annotations

from pathlib import Path

PINS = Path(__file__).resolve().parents[1] / "config" / ".env"


def pins(path: Path = PINS) -> dict[str, str]:
    """Each `NAME=value` of the file."""
    lines = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return {name.strip(): value.strip() for name, sign, value in lines if sign}


def image(name: str) -> str:
    """Our own image of that name with its version, as in `learning-analytics/platform:1.0.0`."""
    return f"learning-analytics/{name}:{pins()['PLATFORM_VERSION']}"
