"""HTTP/1.1 as uvicorn reads it, with limits of its own, told in the form of every other problem."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Bytes of a URL, and of the names and values of all headers.
LONGEST_URL = LONGEST_HEADERS = 60_000
# A refused client may send on for so long: a connection that is cut while bytes arrive would lose it the answer.
LINGER_SECONDS = 2.0


class Protocol(HttpToolsProtocol):
    """Refuses longer URLs with 414, longer headers with 431, both as they arrive, and what isn't HTTP with 400."""

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._head_bytes: int | None = None  # that came while a head isn't complete; None between heads
        self._refusal: tuple[int, str, str] = (400, "request", "must be HTTP/1.1")
        self._refused = False

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._refused:
            return
        super().data_received(data)
        if self._head_bytes is not None and not self._refused:
            self._head_bytes += len(data)
            if self._head_bytes > LONGEST_URL + LONGEST_HEADERS:
                self._refusal = 431, "headers", f"must be at most {LONGEST_HEADERS} bytes together"
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head_bytes = 0
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
        super().on_headers_complete()

    def _refuse(self, status: int, name: str, detail: str) -> None:
        self._refusal = status, name, detail
        raise ValueError(detail)  # the parser stops, and calls send_400_response

    def send_400_response(self, msg: str) -> None:
        """Answer what was refused, and close."""
        status, name, detail = self._refusal
        body = json.dumps({"name": name, "detail": f"'{name}': {detail}"}).encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self._refused = True
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
