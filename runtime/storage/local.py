"""A local folder as a store."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runtime.storage.store import Conflict, Entry, StorageError, Store

TEMPORARY = ".writing-"


@contextmanager
def _reported(uri: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        raise StorageError(f"storage {uri}: {error}") from error


class LocalStore(Store):
    """Files in a folder, which need not exist yet. Writes go to a hidden temporary file first."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self.uri = str(self.root)

    def list(self, prefix: str = "") -> list[Entry]:
        entries = []
        with _reported(self.uri):
            for folder, _, names in os.walk(self.root / prefix.rpartition("/")[0]):
                for name in names:
                    path = Path(folder, name)
                    relative = path.relative_to(self.root).as_posix()
                    if relative.startswith(prefix) and not name.startswith(TEMPORARY):
                        with suppress(FileNotFoundError):
                            entries.append(_entry(relative, path))
        return sorted(entries, key=lambda e: e.path)

    def read(self, path: str) -> bytes:
        with _reported(self.uri):
            return (self.root / path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        with self._temporary(path) as temporary:
            temporary.write_bytes(data)
            os.replace(temporary, self.root / path)

    def create(self, path: str, data: bytes) -> None:
        with self._temporary(path) as temporary:
            temporary.write_bytes(data)
            os.link(temporary, self.root / path)

    def swap(self, path: str, data: bytes, etag: str | None) -> None:
        with _reported(self.uri):
            target = self.root / path
            _make_folder(target.parent)
            with open(target.parent / f"{TEMPORARY}lock", "a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if self.etag(path) != etag:
                    raise Conflict(f"storage {self.uri}: {path} was changed by another writer")
                self.write(path, data)

    def etag(self, path: str) -> str | None:
        with _reported(self.uri):
            try:
                return _entry(path, self.root / path).etag
            except FileNotFoundError:
                return None

    def download(self, path: str, local: str | Path) -> None:
        with _reported(self.uri):
            Path(local).unlink(missing_ok=True)
            _copy(self.root / path, Path(local))

    def upload(self, local: str | Path, path: str) -> None:
        with self._temporary(path) as temporary:
            temporary.unlink()
            _copy(Path(local), temporary)
            temporary.chmod(0o644)
            os.replace(temporary, self.root / path)

    def delete(self, paths: Iterable[str]) -> None:
        with _reported(self.uri):
            for path in paths:
                (self.root / path).unlink(missing_ok=True)

    @contextmanager
    def _temporary(self, path: str) -> Iterator[Path]:
        with _reported(self.uri):
            target = self.root / path
            _make_folder(target.parent)
            handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=target.parent)
            os.fchmod(handle, 0o644)
            os.close(handle)
            try:
                yield Path(name)
            finally:
                Path(name).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Give a file a second name: as good as a copy, as objects are replaced and never written into."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # it tells of a file in the folder's place, not of the file that is to be made
        raise NotADirectoryError(f"Not a directory: '{error.filename}'") from error


def _entry(relative: str, path: Path) -> Entry:
    status = path.stat()
    return Entry(relative, status.st_size, f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}")
