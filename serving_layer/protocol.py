"""HTTP/1.1 as uvicorn reads it, with limits of its own, told in the form of every other problem."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving_layer.browsers import SAFE

# Bytes of a URL, and of the names and values of all headers.
LONGEST_URL = LONGEST_HEADERS = 60_000
# A refused client may send on for so long: a connection that is cut while bytes arrive would lose it the answer.
LINGER_SECONDS = 2.0
# What few routes take is a few words.
MOST_BODY = 65_536
# In which a request has to arrive, and in which a client has to take something of an answer.
REQUEST_SECONDS, STALLED_SECONDS = 10.0, 60.0
_SAFE = "".join(f"{name}: {value}\r\n" for name, value in SAFE.items())


class Protocol(HttpToolsProtocol):
    """Refuses longer URLs with 414, longer headers with 431, both as they arrive, and what isn't HTTP with 400.

    Longer bodies with 413, bodies of untold length with 411, requests that don't arrive with 408, and with 503 who
    comes while there are `most_connections`.
    """

    most_connections = 1000

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._head_bytes: int | None = None  # that came while a head isn't complete; None between heads
        self._incomplete = False  # whether a request has begun and not ended
        self._refusal: tuple[int, str, str] = (400, "request", "must be HTTP/1.1")
        self._refused = False
        self._arriving: asyncio.TimerHandle | None = None  # runs while a request is awaited that isn't there at once
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            self._refusal = 503, "connections", f"must be at most {self.most_connections} at a time; come again"
            self.send_400_response("")
            return
        self._arriving = self.loop.call_later(REQUEST_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of it."""
        self._arrived()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for a client that takes nothing, but not for ever."""
        super().pause_writing()
        self._stalled = self._stalled or self.loop.call_later(STALLED_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None

    def _arrived(self) -> None:
        if self._arriving:
            self._arriving.cancel()
            self._arriving = None

    def _late(self) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._refusal = 408, "request", f"must arrive within {REQUEST_SECONDS:g} s"
        self.send_400_response("")

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._refused:
            return
        super().data_received(data)
        if not self._incomplete or self._refused:
            return
        if self._arriving is None:
            self._arriving = self.loop.call_later(REQUEST_SECONDS, self._late)
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > LONGEST_URL + LONGEST_HEADERS:
                self._refusal = 431, "headers", f"must be at most {LONGEST_HEADERS} bytes together"
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head_bytes, self._incomplete = 0, True
        self._arrived()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL."""
        super().on_url(url)
        if len(self.url) > LONGEST_URL:
            self._refuse(414, "url", f"must be at most {LONGEST_URL} bytes")

    def on_headers_complete(self) -> None:
        """Take the request, whose body may follow."""
        self._head_bytes = None
        if sum(len(name) + len(value) for name, value in self.headers) > LONGEST_HEADERS:
            self._refuse(431, "headers", f"must be at most {LONGEST_HEADERS} bytes together")
        headers = dict(self.headers)
        if b"transfer-encoding" in headers:
            self._refuse(411, "body", "must have its length told, by Content-Length")
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or len(length) > 10 or int(length) > MOST_BODY:
            self._refuse(413, "body", f"must be at most {MOST_BODY} bytes")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._incomplete = False
        self._arrived()
        super().on_message_complete()

    def _refuse(self, status: int, name: str, detail: str) -> None:
        self._refusal = status, name, detail
        raise ValueError(detail)  # the parser stops, and calls send_400_response

    def send_400_response(self, msg: str) -> None:
        """Answer what was refused, and close."""
        status, name, detail = self._refusal
        body = json.dumps({"name": name, "detail": f"'{name}': {detail}"}).encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n{_SAFE}\r\n"
        )
        self._refused = True
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
