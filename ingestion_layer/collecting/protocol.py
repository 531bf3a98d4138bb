"""HTTP/1.1 as uvicorn reads it, but nobody may take for ever to say what they want."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
LONGEST_HEAD = 64 * 1024


class Protocol(HttpToolsProtocol):
    """Closes a connection whose request hasn't its headers after HEAD_SECONDS, or has too many of them; and one whose
    request was answered before its body had ended, and hasn't ended after HEAD_SECONDS either.
    """

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._limit: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(in_head=True)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the sender."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > LONGEST_HEAD:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._wait(in_head=True)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take the request, whose body may follow."""
        self._enough()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._enough()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End an answer; who is refused may still send, for a while, so that the answer is read."""
        sends = self.cycle is not None and self.cycle.more_body
        super().on_response_complete()
        if sends and not self.transport.is_closing():
            self._wait(in_head=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender is gone."""
        self._enough()
        super().connection_lost(exc)

    def _wait(self, in_head: bool) -> None:
        self._enough()
        self._in_head = in_head
        self._limit = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _enough(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit, self._in_head, self._head_bytes = None, False, 0

    def _too_slow(self) -> None:
        self._limit = None
        if not self.transport.is_closing():
            self.transport.close()
