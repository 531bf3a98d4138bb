"""Random keys, made at the first start: `python deployment/keys.py FOLDER` keeps each in a file of its own (Compose's).

The local stack keeps its own in one file, `keys.env` beside its data. Keys that are there stay; one that the
environment names is taken over instead of being made. Only the owner reads them, and none is ever printed.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from runtime.settings import keys_of

# `la_operator_` is how the query API knows its operator's key among others.
LOCAL: Mapping[str, Callable[[], str]] = {
    "MINIO_ACCESS_KEY": lambda: f"platform-{secrets.token_hex(4)}",
    "MINIO_SECRET_KEY": lambda: secrets.token_hex(24),
    "PSEUDONYM_KEY": lambda: secrets.token_hex(32),
    "ERASURE_KEY": lambda: secrets.token_hex(32),
    "OPERATOR_KEY": lambda: f"la_operator_{secrets.token_hex(32)}",
}
GRAFANA = "GRAFANA_ADMIN_PASSWORD"
EVERY: Mapping[str, Callable[[], str]] = {**LOCAL, GRAFANA: lambda: secrets.token_hex(16)}


def made(environ: Mapping[str, str], makers: Mapping[str, Callable[[], str]] = LOCAL) -> dict[str, str]:
    """A value for each key: the environment's where it names one."""
    return {name: environ.get(name) or make() for name, make in makers.items()}


def keep_together(file: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The keys of an env file, which is made where it isn't there; API_KEY is the operator's, for `learn`."""
    if not file.exists():
        keys = made(environ)
        lines = "".join(f"{name}={value}\n" for name, value in {**keys, "API_KEY": keys["OPERATOR_KEY"]}.items())
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, lines, 0o600)
    return keys_of(file)


def keep_apart(folder: Path, environ: Mapping[str, str] = os.environ) -> None:
    """A file for each key, named as its setting; made where it isn't there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in made(environ, EVERY).items():
        file = folder / name
        if not file.exists():
            # Grafana is another user; nobody else mounts the folder it stands in.
            _write(file, value, 0o444 if name == GRAFANA else 0o400)


def _write(file: Path, text: str, mode: int) -> None:
    half = file.with_name(f".{file.name}.half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as to:
        to.write(text)
    half.chmod(mode)
    half.rename(file)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("keys: the folder of the keys must be named; got none")
    keep_apart(Path(sys.argv[1]))
