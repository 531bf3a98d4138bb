"""The body of a request: read in time, unpacked, and never larger than it may be."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from ingestion_layer.collecting.budget import Budget
from ingestion_layer.collecting.refusals import Refused

READ_SECONDS = 30.0


@asynccontextmanager
async def body_of(request: Request, budget: Budget, most: int) -> AsyncIterator[bytes]:
    """The body, unpacked where it comes as gzip or deflate; within, it is accounted for in `budget`.

    Refused: 413 beyond `most` bytes, packed or not, 408 where it comes too slowly, 415 in another encoding, 400 where
    it is cut short or no gzip, 503 where too much waits already.
    """
    taken = 0
    unpack = _unpacker(request.headers.get("content-encoding", "").strip().lower())
    parts: list[bytes] = []
    size = 0
    try:
        if int(request.headers.get("content-length") or 0) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(READ_SECONDS):
                async for chunk in request.stream():
                    for part in unpack.parts(chunk, most - size):
                        size += len(part)
                        if size > most:
                            raise _too_large(most)
                        budget.take(len(part))
                        taken += len(part)
                        parts.append(part)
        except TimeoutError:
            raise Refused(408, "body", f"must arrive within {READ_SECONDS:.0f} s") from None
        except ClientDisconnect:
            raise Refused(400, "body", "must be whole; the sender left") from None
        unpack.check()
        yield b"".join(parts)
    finally:
        budget.give(taken)


def _too_large(most: int) -> Refused:
    return Refused(413, "body", f"must have at most {most} bytes")


class _Plain:
    def parts(self, chunk: bytes, most: int) -> list[bytes]:
        """The chunk itself."""
        return [chunk] if chunk else []

    def check(self) -> None:
        """Nothing can be missing that HTTP doesn't tell."""


class _Packed:
    """Unpacks as it comes, never more than is allowed: a small body may hold gigabytes of zeros."""

    def __init__(self, bits: int) -> None:
        self._stream = zlib.decompressobj(bits)

    def parts(self, chunk: bytes, most: int) -> list[bytes]:
        """What a chunk holds, and one byte more than allowed where it holds more."""
        try:
            found = self._stream.decompress(chunk, most + 1)
        except zlib.error:
            raise Refused(400, "body", "must be what Content-Encoding says") from None
        return [found] if found else []

    def check(self) -> None:
        """Refused where the end is missing."""
        if not self._stream.eof:
            raise Refused(400, "body", "must be what Content-Encoding says, up to its end")


def _unpacker(encoding: str) -> _Plain | _Packed:
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip"):
        return _Packed(31)
    if encoding == "deflate":
        return _Packed(15)
    raise Refused(415, "Content-Encoding", "must be gzip, deflate or identity", {"Accept-Encoding": "gzip, deflate"})
