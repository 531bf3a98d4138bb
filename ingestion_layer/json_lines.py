"""A file of JSON lines as it is read: plain or packed, line by line, knowing how much of it has been read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from runtime.errors import PlatformError

# The largest message that the producer sends to Kafka, in bytes.
LONGEST = 16 * 2**20
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class UnreadableLines(PlatformError):
    """A file that isn't lines of text, or is cut short; the message names it."""


class JsonLines:
    """The lines of a file, packed by gzip, zstd or not at all, whatever its name says.

    `bytes` of its content have been read so far, up to the end of a line without its break, and `digest` is their
    SHA-256: the beginning of a file is known again by it, whichever way the file is packed, and when it has grown
    since.
    """

    def __init__(self, path: Path):
        self.path, self.bytes = path, 0
        self._sum, self._breaks, self._waiting = hashlib.sha256(), 0, b""
        if not path.is_file():
            raise UnreadableLines(
                f"{path}: must be a file of JSON lines; got {'a folder' if path.is_dir() else 'none'}"
            )
        try:
            with open(path, "rb") as file:
                head = file.read(4)
            packed = next((name for magic, name in _PACKED.items() if head.startswith(magic)), None)
            self._stream = io.BufferedReader(pa.input_stream(str(path), compression=packed), 2**20)
        except OSError as error:
            raise self._unreadable(error) from error

    @property
    def digest(self) -> str:
        """SHA-256 of what has been read."""
        return self._sum.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        """Every line without its line break; empty ones as well."""
        while line := self._line():
            yield line.rstrip(b"\r\n")

    def skip(self, landed: dict[str, int]) -> int:
        """Pass over the longest beginning of the file that is among the `landed` ones (bytes by digest); its bytes.

        Raises UnreadableLines where what follows goes on in the middle of a landed line.
        """
        lengths = sorted(set(landed.values()))
        known = JsonLines(self.path)
        found = max((n for n in lengths if known._reaches(n) and landed.get(known.digest) == n), default=0)
        self._reaches(found)
        if found and (more := self._stream.peek(1)[:1]) and more not in b"\r\n":
            raise UnreadableLines(f"{self.path}: must go on with a line break where it ended before; got {more!r}")
        return found

    def _reaches(self, length: int) -> bool:
        """Read on until `length` bytes are read; whether there were so many."""
        try:
            while self.bytes < length and (data := self._stream.read(min(2**20, length - self.bytes))):
                self._took(data)
                self._breaks += data.count(b"\n")
        except OSError as error:
            raise self._unreadable(error) from error
        return self.bytes == length

    def _line(self) -> bytes:
        try:
            line = self._stream.readline(LONGEST + 1)
        except OSError as error:
            raise self._unreadable(error) from error
        if len(line) > LONGEST and not line.endswith(b"\n"):
            raise UnreadableLines(f"{self.path}: line {self._breaks + 1} must have at most {LONGEST} bytes; got more")
        content = line.rstrip(b"\r\n")
        if content:
            self._took(self._waiting + content)
            self._waiting = b""
        self._waiting += line[len(content) :]
        self._breaks += 1
        return line

    def _took(self, data: bytes) -> None:
        self._sum.update(data)
        self.bytes += len(data)

    def _unreadable(self, error: OSError) -> UnreadableLines:
        return UnreadableLines(f"{self.path}: must be readable, plain or packed by gzip or zstd; got {error}")
