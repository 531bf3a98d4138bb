"""The files that are replayed, as lines of UTF-8: packed or not, in whichever Unicode they are."""

from __future__ import annotations

import codecs
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ingestion_layer.replay.row import ReplayError
from runtime.errors import PlatformError

CHUNK = 256 * 1024
# A longer line comes in parts.
LONGEST_LINE = 4 * 2**20
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
_UTF8 = codecs.BOM_UTF8
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
PACKED_OTHERWISE = "a zip archive or a workbook, which must be unpacked"
CUT_PACKED = "the packed file is damaged or cut short from here on"


class Damaged(PlatformError):
    """The rest of a file can't be read."""


def found(paths: Iterable[Path]) -> list[Path]:
    """The files of `paths`, of folders those in them but for hidden ones; ReplayError where there is none to read."""
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ReplayError(f"--replay: file must exist; got {path}")
        inside = [path]
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*")) if p.is_file() and not _hidden(p.relative_to(path))]
            if not inside:
                raise ReplayError(f"--replay {path}: folder must have files; got none")
        elif zipfile.is_zipfile(path):
            raise ReplayError(f"--replay {path}: must be plain or gzip, or an unpacked folder; got a zip archive")
        files += inside
    return files


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


class Lines:
    """Lines of a file without their ends; `cut` says that the last one goes on, as it is very long. Lines can be put
    back.

    Raises Damaged where a packed file ends too early, after all that came before, and OSError.
    """

    def __init__(self, path: Path):
        self._chunks = _unicode(_unpacked(path))
        self._rest = b""
        self._waiting: list[tuple[bytes, bool]] = []
        self._error: Damaged | None = None
        self.cut = False

    def __iter__(self) -> Iterator[bytes]:
        while self._waiting or self._fill():
            line, self.cut = self._waiting.pop()
            yield line

    def take(self) -> bytes | None:
        """The next line with its end, None after the last."""
        if not self._waiting and not self._fill():
            return None
        line, self.cut = self._waiting.pop()
        return line if self.cut else line + b"\n"

    def put_back(self, text: bytes) -> None:
        """Let `text`, the end of what was taken, come next."""
        *lines, last = text.split(b"\n")
        self._waiting += [(last, self.cut)] if last else []
        self._waiting += [(line, False) for line in reversed(lines)]
        self.cut = False

    def _fill(self) -> bool:
        while not self._waiting:
            if self._error:
                error, self._error = self._error, None
                raise error
            try:
                chunk = next(self._chunks, None)
            except Damaged as damage:
                chunk, self._error = None, damage
            if chunk is None:
                if not self._rest and not self._error:
                    return False
                self._waiting = [(self._rest, False)] if self._rest else []
                self._rest = b""
                continue
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._waiting = [(line, False) for line in reversed(lines)]
            if not lines and len(self._rest) > LONGEST_LINE:
                self._waiting, self._rest = [(self._rest, True)], b""
        return True


def _unpacked(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        chunk = file.read(CHUNK)
        if chunk.startswith(ZIP):
            raise Damaged(PACKED_OTHERWISE)
        if not chunk.startswith(GZIP):
            while chunk:
                yield chunk
                chunk = file.read(CHUNK)
            return
        packed = zlib.decompressobj(wbits=31)
        while chunk or packed.unconsumed_tail:
            try:
                plain = packed.decompress(packed.unconsumed_tail + chunk, 4 * CHUNK)
            except zlib.error as error:
                raise Damaged(CUT_PACKED) from error
            if plain:
                yield plain
            chunk = b""
            if packed.eof:  # another member may follow, or the zeros that fill a tape's block
                chunk = packed.unused_data.lstrip(b"\0") or file.read(CHUNK).lstrip(b"\0")
                if chunk and not chunk.startswith(GZIP[: len(chunk)]):
                    raise Damaged(CUT_PACKED)
                if chunk:
                    packed = zlib.decompressobj(wbits=31)
            elif not packed.unconsumed_tail:
                chunk = file.read(CHUNK)
        if not packed.eof:
            raise Damaged(CUT_PACKED)


def _unicode(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    name = _UTF16.get(first[:2]) or _unmarked(first)
    if not name:
        yield first.removeprefix(_UTF8)
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(name)("replace")
    yield decoder.decode(first).removeprefix("\ufeff").encode("utf-8", "replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")


def _unmarked(first: bytes) -> str | None:
    """UTF-16 without a mark: each second byte of ASCII is zero, and none of the others is."""
    sample = first[:200]
    even, odd = sample[::2], sample[1::2]
    if len(sample) > 8 and not even.count(0) and odd.count(0) > len(odd) * 0.6:
        return "utf-16-le"
    return "utf-16-be" if len(sample) > 8 and not odd.count(0) and even.count(0) > len(even) * 0.6 else None
