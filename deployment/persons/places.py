"""Every place in which the platform keeps events or what was made of them, and the objects there."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from catalogue.at_rest.raw_files import is_raw_file, topic_folder
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Conflict, Store

READERS = 4
COMPRESSION = 1
T = TypeVar("T")


@dataclass(frozen=True)
class Places:
    """The stores of a platform."""

    settings: Settings
    raw: Store
    quarantine: Store
    batch: Store
    speed: Store
    identity: Store
    disclosure: Store

    @classmethod
    def of(cls, settings: Settings) -> Places:
        """Those that the settings name."""
        names = ("master_dataset", "quarantine", "batch_views", "speed_views", "identity", "disclosure_log")
        return cls(settings, *(open_store(getattr(settings, name), settings) for name in names))

    @property
    def event_stores(self) -> dict[str, Store]:
        """The stores of raw files by name."""
        return {"raw": self.raw, "quarantine": self.quarantine}

    @property
    def all(self) -> dict[str, Store]:
        """Every store by name."""
        return {
            **self.event_stores,
            "batch": self.batch,
            "speed": self.speed,
            "identity": self.identity,
            "disclosure": self.disclosure,
        }


def event_files(store: Store) -> list[str]:
    """The files of events in a store."""
    return [entry.path for entry in store.list(topic_folder()) if is_raw_file(entry.path)]


def topic_of(path: str) -> str:
    """Whose events a file holds."""
    return path.partition("=")[2].partition("/")[0]


def unpacked(path: str, data: bytes) -> bytes:
    """What a file holds."""
    if path.endswith(".gz"):
        return gzip.decompress(data)
    if path.endswith(".zst"):
        with pa.input_stream(io.BytesIO(data), compression="zstd") as stream:
            return bytes(stream.read())
    return data


def packed(path: str, text: bytes) -> bytes:
    """A file that holds `text`."""
    if path.endswith(".gz"):
        return gzip.compress(text, COMPRESSION, mtime=0)
    if path.endswith(".zst"):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(text)
        return bytes(sink.getvalue())
    return text


def rewrite(store: Store, path: str, change: Callable[[bytes], bytes | None]) -> bool:
    """Replace a file by what `change` makes of its text (None: it stays); whether there was anything to replace.

    A file that somebody else replaces meanwhile is read again; one that is gone is none.
    """
    while True:
        tag = store.etag(path)
        if tag is None:
            return False
        try:
            text = change(unpacked(path, store.read(path)))
            if text is None:
                return False
            store.swap(path, packed(path, text), tag)
            return True
        except Conflict:
            continue
        except FileNotFoundError:
            return False


def each(function: Callable[[str], T], paths: Iterable[str]) -> Iterator[tuple[str, T]]:
    """What a function makes of each of many paths, several at once; of those that are there."""

    def made(path: str) -> tuple[str, T] | None:
        try:
            return path, function(path)
        except FileNotFoundError:
            return None

    with ThreadPoolExecutor(READERS) as threads:
        yield from (found for found in threads.map(made, paths) if found is not None)
