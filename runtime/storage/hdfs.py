"""A folder of HDFS as a store, through WebHDFS."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from fsspec.implementations.webhdfs import WebHDFS

from runtime.storage.store import Conflict, Entry, StorageError, Store

TEMPORARY = ".writing-"
LOCK_SECONDS = 60


class HdfsStore(Store):
    """Files of `uri` (`hdfs://namenode:port/folder`); `http_port` is the port of the name node's web server."""

    def __init__(self, uri: str, http_port: int) -> None:
        parts = urlsplit(uri)
        self.uri, self.folder = uri.rstrip("/"), parts.path.rstrip("/")
        self._address = (parts.hostname or "localhost", http_port)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_hdfs"}

    @cached_property
    def _hdfs(self) -> WebHDFS:
        import getpass

        return WebHDFS(*self._address, user=getpass.getuser(), use_listings_cache=False, skip_instance_cache=True)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, FileExistsError):
            raise
        except requests.ConnectionError as error:
            host, port = self._address
            raise StorageError(
                f"storage {self.uri}: can't reach http://{host}:{port}; is HDFS_HTTP_PORT right?"
            ) from error
        except (requests.RequestException, OSError, ValueError, RuntimeError) as error:
            raise StorageError(f"storage {self.uri}: {' '.join(str(error).split())[:300]}") from error

    def _full(self, path: str) -> str:
        return f"{self.folder}/{path}"

    def _status(self, path: str) -> dict[str, Any]:
        return dict(self._hdfs._call("GETFILESTATUS", path=self._full(path)).json()["FileStatus"])

    def list(self, prefix: str = "") -> list[Entry]:
        with self._reported():
            return sorted(self._walk(prefix.rpartition("/")[0], prefix), key=lambda e: e.path)

    def _walk(self, folder: str, prefix: str) -> Iterator[Entry]:
        try:
            answer = self._hdfs._call("LISTSTATUS", path=self._full(folder)).json()
        except FileNotFoundError:
            return
        for status in answer["FileStatuses"]["FileStatus"]:
            path = f"{folder}/{status['pathSuffix']}".lstrip("/")
            if status["type"] == "DIRECTORY":
                if path.startswith(prefix) or prefix.startswith(f"{path}/"):
                    yield from self._walk(path, prefix)
            elif path.startswith(prefix) and not status["pathSuffix"].startswith(TEMPORARY):
                yield Entry(path, status["length"], _tag(status))

    def read(self, path: str) -> bytes:
        with self._reported():
            return bytes(self._hdfs._call("OPEN", path=self._full(path)).content)

    def write(self, path: str, data: bytes) -> None:
        self._put(path, data, overwrite=True)

    def create(self, path: str, data: bytes) -> None:
        self._put(path, data, overwrite=False)

    def _put(self, path: str, data: Any, overwrite: bool) -> None:
        folder, _, name = path.rpartition("/")
        temporary = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}-{name}".lstrip("/")
        with self._reported():
            try:
                self._hdfs._call("MKDIRS", method="put", path=self._full(folder))
                place = self._hdfs._call("CREATE", method="put", path=self._full(temporary), redirect=False)
                sent = requests.put(place.headers["Location"], data=data, timeout=120)
                sent.raise_for_status()
                options = {"renameoptions": "OVERWRITE"} if overwrite else {}
                answer = self._hdfs._call(
                    "RENAME",
                    method="put",
                    path=self._full(temporary),
                    destination=self._full(path),
                    **options,
                )
                if not overwrite and not answer.json()["boolean"]:
                    raise FileExistsError(f"storage {self.uri}: {path} was written by another")
            except BaseException:
                self.delete([temporary])
                raise

    def swap(self, path: str, data: bytes, etag: str | None) -> None:
        # HDFS has no conditional overwrite: an exclusively created lock file stands in for it.
        folder, _, name = path.rpartition("/")
        lock = f"{folder}/{TEMPORARY}lock-{name}".lstrip("/")
        self._lock(lock)
        try:
            if self.etag(path) != etag:
                raise Conflict(f"storage {self.uri}: {path} was changed by another writer")
            self.write(path, data)
        finally:
            self.delete([lock])

    def _lock(self, lock: str) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                return self.create(lock, b"")
            except FileExistsError:
                if time.monotonic() > deadline:  # its owner died
                    self.delete([lock])
                time.sleep(0.2)

    def etag(self, path: str) -> str | None:
        with self._reported():
            try:
                return _tag(self._status(path))
            except FileNotFoundError:
                return None

    def download(self, path: str, local: str | Path) -> None:
        with self._reported():
            self._hdfs.get_file(self._full(path), str(local))

    def upload(self, local: str | Path, path: str) -> None:
        with open(local, "rb") as data:
            self._put(path, data, overwrite=True)

    def delete(self, paths: Iterable[str]) -> None:
        with self._reported():
            for path in paths:
                self._hdfs._call("DELETE", method="delete", path=self._full(path), recursive="false")


def _tag(status: dict[str, Any]) -> str:
    return f"{status['fileId']}-{status['modificationTime']}"
