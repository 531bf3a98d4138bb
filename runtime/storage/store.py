"""Files in a folder, an S3 bucket or HDFS, behind one interface with atomic writes and conditional ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import PlatformError


class StorageError(PlatformError):
    """The store can't be reached, or refuses; the message says which store and why."""


class Conflict(PlatformError):
    """A compare-and-swap found another version than the expected one."""


@dataclass(frozen=True)
class Entry:
    """A file: path relative to the store, size in bytes, and a tag that changes with its content."""

    path: str
    size: int
    etag: str


class Store(ABC):
    """Files under `uri`, named by relative paths with forward slashes.

    Every method raises FileNotFoundError where a file is missing and StorageError where the store fails. A store can
    be pickled: it connects when first used.
    """

    uri: str

    @abstractmethod
    def list(self, prefix: str = "") -> list[Entry]:
        """Files whose relative path starts with `prefix`, at any depth, sorted by path."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Content of a file."""

    @abstractmethod
    def write(self, path: str, data: bytes) -> None:
        """Replace or make a file; readers see the old content or the new one, nothing between."""

    @abstractmethod
    def create(self, path: str, data: bytes) -> None:
        """Make a file; FileExistsError where it exists. Of two writers, exactly one succeeds."""

    @abstractmethod
    def swap(self, path: str, data: bytes, etag: str | None) -> None:
        """Replace a file if its tag is still `etag` (None: it must not exist); Conflict otherwise."""

    @abstractmethod
    def etag(self, path: str) -> str | None:
        """Tag of a file's current content; None where it is missing."""

    @abstractmethod
    def download(self, path: str, local: str | Path) -> None:
        """Copy a file to a local path."""

    @abstractmethod
    def upload(self, local: str | Path, path: str) -> None:
        """Copy a local file here, atomically. Don't write into it afterwards: the copy may be another name of it."""

    @abstractmethod
    def delete(self, paths: Iterable[str]) -> None:
        """Remove files; missing ones are no error."""
