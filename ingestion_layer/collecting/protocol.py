"""HTTP/1.1 as uvicorn reads it, but nobody may take for ever to say what they want."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
LONGEST_HEAD = 64 * 1024


class Protocol(HttpToolsProtocol):
    """Closes a connection whose request hasn't its headers after HEAD_SECONDS, or has too many of them."""

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._limit: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the sender."""
        if self._limit is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._limit is not None and self._head_bytes > LONGEST_HEAD:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take the request, whose body may follow."""
        self._enough()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The sender is gone."""
        self._enough()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._enough()
        self._limit = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _enough(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit, self._head_bytes = None, 0

    def _too_slow(self) -> None:
        self._limit = None
        if not self.transport.is_closing():
            self.transport.close()
