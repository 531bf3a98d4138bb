"""The ids of the horizon as a task knows them: files by name, of which its machine keeps sorted copies, and the rest.

The copies are made when a task first needs them, of bounded parts, and shared by the workers of a machine. They are
searched where they lie, so that a worker's memory doesn't grow with them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from runtime.errors import PlatformError
from runtime.storage.store import Store
from speed_layer.sightings import Array, below, find, halves, in_order, of_topic, searched

# Sightings that are sorted at once: about 300 MB while it lasts.
MOST_SORTED = 2**21
LOCK_SECONDS = 0.05
PREFIX = "speed-ids-"
# Copies that nobody has used for so long belong to a process that is gone.
UNUSED_SECONDS = 3600


class MissingIds(PlatformError):
    """A file of sightings is gone: a run that retention has dropped, for one. The next start knows which are there."""


@dataclass(frozen=True)
class IdFile:
    """A Parquet file of sightings, never written again. It is one topic's, or has the columns of `sightings.COLUMNS`.

    `head` says up to which offsets (exclusive) its sightings count; None where all do.
    """

    store: Store
    path: str
    topic: str | None = None
    head: dict[str, dict[str, int]] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """A name for its copies."""
        return hashlib.sha256(f"{self.store.uri}/{self.path}".encode()).hexdigest()[:24]


@dataclass(frozen=True)
class KnownIds:
    """What is known when a micro-batch begins: `files`, and `recent` sightings by topic, which are in no file yet.

    `name` is that of the folder of local copies; another start of the stream has another.
    """

    name: str
    files: tuple[IdFile, ...] = ()
    recent: dict[str, Array] = field(default_factory=dict)

    def sightings(self, topic: str, ids: pa.ChunkedArray) -> tuple[Array, Array]:
        """Where in `ids` (of 16 bytes) one stands that was seen before, and when that arrived, for each sighting."""
        wanted = halves(ids)
        recent = self.recent.get(topic)
        arrays = [in_order(recent)] if recent is not None else []
        arrays += _copies(self.name).of(topic, [f for f in self.files if f.topic in (None, topic)])
        found = [find(array, wanted) for array in arrays]
        return (
            np.concatenate([places for places, _ in found]) if found else np.empty(0, np.int64),
            np.concatenate([arrivals for _, arrivals in found]) if found else np.empty(0, np.int64),
        )


class LocalCopies:
    """Sorted copies of files in a folder: `<name of the file>/<topic>-<part>.npy`, mapped into memory when needed."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._mapped: dict[str, dict[str, list[Array]]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def of(self, topic: str, files: Sequence[IdFile]) -> list[Array]:
        """The topic's sightings in `files`, once this or another worker has made all copies."""
        waiting = [f for f in files if f.name not in self._mapped]
        if waiting:
            os.utime(self.folder)
        while waiting:
            left = [file for file in waiting if not self._made(file)]
            if len(left) == len(waiting):  # others make them
                time.sleep(LOCK_SECONDS)
            waiting = left
        return [array for file in files for array in self._mapped[file.name].get(topic, ())]

    def _made(self, file: IdFile) -> bool:
        """Map the copy of a file, which is made now where there is none; False while another worker makes it."""
        copy = self.folder / file.name
        if not copy.exists():
            with _held(self.folder / f"{file.name}.lock") as held:
                if not held:
                    return False
                if not copy.exists():
                    _sort(file, copy)
        arrays: dict[str, list[Array]] = {}
        for part in sorted(copy.glob("*.npy")):
            arrays.setdefault(part.name.rpartition("-")[0], []).append(np.load(part, mmap_mode="r"))
        self._mapped[file.name] = arrays
        return True


def remove_copies(name: str) -> None:
    """Remove the local copies of a stream that has ended."""
    shutil.rmtree(_folder(name), ignore_errors=True)


@cache
def _copies(name: str) -> LocalCopies:
    """The copies of a stream; those that a dead one left on this machine are removed."""
    for other in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if time.time() - other.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    return LocalCopies(_folder(name))


def _folder(name: str) -> Path:
    return Path(tempfile.gettempdir()) / f"{PREFIX}{name}"


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Whether this process, and no other, holds the lock at `path` meanwhile."""
    with open(path, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _sort(file: IdFile, copy: Path) -> None:
    """Make the copy of a file. It has its name when it is whole."""
    with tempfile.TemporaryDirectory(dir=copy.parent) as folder:
        local, making = Path(folder) / "ids.parquet", Path(folder) / "copy"
        making.mkdir()
        try:
            file.store.download(file.path, local)
        except FileNotFoundError as error:
            raise MissingIds(f"'{file.path}' in {file.store.uri}: must stay until the next start; got none") from error
        with pq.ParquetFile(local) as parquet:
            for number, batch in enumerate(parquet.iter_batches(MOST_SORTED)):
                sightings = pa.Table.from_batches([batch])
                topics = [file.topic] if file.topic else sightings["topic"].unique().to_pylist()
                for topic in topics:
                    mine = sightings if file.topic else of_topic(sightings, topic)
                    if file.head is not None:
                        mine = below(mine, file.head.get(topic, {}))
                    np.save(making / f"{topic}-{number:05}.npy", in_order(searched(mine)))
        making.rename(copy)
    pa.default_memory_pool().release_unused()
