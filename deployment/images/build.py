"""Builds of images from the project's files and this machine's parts; what didn't change is not built again."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deployment.images.base import base
from deployment.images.engine import docker
from deployment.images.parts import PARTS
from deployment.pins import image

ROOT = Path(__file__).resolve().parents[2]
LABEL = "learning-analytics.contents"
CODE = ("batch_layer", "catalogue", "deployment", "ingestion_layer", "runtime", "serving_layer", "speed_layer")
SETTINGS = ("config/defaults.env", "config/hadoop.env", "config/requirements.txt")


@dataclass(frozen=True)
class Image:
    """One image: its Dockerfile, the files and parts that go into its build, and the images that it stands on."""

    dockerfile: str
    files: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    target: str = ""
    on: str = ""


_FETCHING = (
    "config/defaults.env",
    "runtime/__init__.py",
    "runtime/errors.py",
    "runtime/settings.py",
    "deployment/__init__.py",
)
IMAGES = {
    "platform": Image(
        "deployment/images/Dockerfile",
        (*CODE, *SETTINGS, "config/spark-jars", "config/kafka-jars"),
        ("wheels", "spark-jars", "kafka-jars", "dashboard"),
        "platform",
    ),
    "ingestion": Image("ingestion_layer/Dockerfile.ingestion", on="platform"),
    "minio": Image("minio/Dockerfile", parts=("minio",)),
    "kafka": Image(
        "deployment/images/kafka/Dockerfile",
        (*_FETCHING, "deployment/installation.py", "config/kafka-jars", "deployment/images/kafka"),
        ("kafka-jars",),
    ),
    "oozie": Image(
        "deployment/images/Dockerfile",
        (*CODE, *SETTINGS, *(f"config/{name}-jars" for name in ("spark", "kafka", "hadoop", "oozie"))),
        ("wheels", "spark-jars", "kafka-jars", "dashboard", "hadoop-jars", "oozie-jars"),
        "oozie",
    ),
    "prometheus": Image("deployment/images/prometheus/Dockerfile"),
}


def build(name: str) -> bool:
    """Build the image of that name and what it stands on; false where it was there as its contents say.

    Raises StackError.
    """
    chosen = IMAGES[name]
    if chosen.on:
        build(chosen.on)
    arguments = {"BASE_IMAGE": base(), "GO_IMAGE": base(), "PLATFORM_IMAGE": image("platform"), "PIP_NO_INDEX": "1"}
    contents = _contents(chosen)
    wanted = _fingerprint(contents, docker("images", "-q", "--no-trunc", image(chosen.on) if chosen.on else base()))
    if _label(image(name)) == wanted:
        return False
    print(f"images: building {image(name)}", flush=True)
    used = (ROOT / chosen.dockerfile).read_text(encoding="utf-8")
    options = [f"--build-arg={key}={value}" for key, value in arguments.items() if f"ARG {key}" in used]
    options += [f"--target={chosen.target}"] if chosen.target else []
    with tempfile.TemporaryFile() as context:
        _pack(contents, context)
        context.seek(0)
        docker(
            "build", "-q", "--network=host", f"--label={LABEL}={wanted}", "-f", "Dockerfile", *options,
            "-t", image(name), "-", given=context,
        )  # fmt: skip
    docker("image", "prune", "-f", f"--filter=label={LABEL}")  # what had this name before
    return True


def _contents(chosen: Image) -> dict[str, Path]:
    """Every file of the build, by its path in the context."""
    found = {"Dockerfile": ROOT / chosen.dockerfile}
    for name in chosen.files:
        for path in _files(ROOT / name):
            found[str(path.relative_to(ROOT))] = path
    for name in chosen.parts:
        part = PARTS[name]()
        for path in _files(part):
            found[f"parts/{name if part.is_file() else f'{name}/{path.relative_to(part)}'}"] = path
    return found


def _files(path: Path) -> list[Path]:
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [f for f in found if f.is_file() and "__pycache__" not in f.parts]


def _fingerprint(contents: dict[str, Path], base_id: str) -> str:
    """What tells one build from another: the project's files by content, parts by name and size."""
    digest = hashlib.sha256(base_id.encode())
    for name, path in contents.items():
        told = str(path.stat().st_size) if name.startswith("parts/") else hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name} {told}\n".encode())
    return digest.hexdigest()[:16]


def _label(name: str) -> str:
    if not docker("images", "-q", name).strip():
        return ""
    return docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', name).strip()


def _pack(contents: dict[str, Path], target: io.IOBase) -> None:
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, path in contents.items():
            entry = archive.gettarinfo(path, name)
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)
