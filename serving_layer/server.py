"""The server of the query API: settings to a process that answers until it is stopped."""

from __future__ import annotations

import atexit
import gc
import os
import socket
import sys

import uvicorn

from runtime.command_line import Parser, end_by_signals
from runtime.errors import PlatformError
from runtime.logs import Log, configure
from runtime.scratch import own_scratch
from runtime.settings import Settings

LOG = Log("serving")
# Answers that take longer are cut off when the server is stopped.
LAST_ANSWERS_SECONDS = 30
# After which a thread that puts an answer together gives way. Python's own 5 ms, times the threads at work, is what
# each step of every other request would wait for.
SWITCH_SECONDS = 0.0005


class _Server(uvicorn.Server):
    """Ends the streams of changes before it waits for the answers that are under way: they would go on."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self.config.app.state.changes.stop()  # type: ignore[union-attr]
        await super().shutdown(sockets)


def parser() -> Parser:
    """What the command line takes."""
    parser = Parser(prog="serving_layer.py", description="Serve the query API; its documentation is at `/docs`.")
    parser.add_argument("--host", help="address to listen on (default: SERVING_HOST)")
    parser.add_argument("--port", help="port to listen on (default: SERVING_PORT)")
    return parser


@own_scratch()
def main(argv: list[str] | None = None) -> int:
    """Serve until stopped; 1 for settings that can't be used."""
    options = parser().parse_args(argv)
    end_by_signals()
    try:
        settings = Settings.load(SERVING_HOST=options.host, SERVING_PORT=options.port)
        configure(settings)
        from serving_layer.identity.profile import check

        check(settings)
        from serving_layer.application import create_app
        from serving_layer.protocol import Protocol

        Protocol.most_connections = settings.most_connections
        app = create_app(settings)
        app.state.exposition.serve(settings)
    except PlatformError as error:
        LOG.error("stopped", error=error)
        return 1
    config = uvicorn.Config(
        app,
        host=settings.serving_host,
        port=settings.serving_port,
        log_config=None,
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http=Protocol,
        ssl_certfile=settings.serving_certificate,
        ssl_keyfile=settings.serving_certificate_key,
        timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()  # what was imported stays: to search it for garbage again and again would stop all requests for 50 ms
    atexit.register(_end_quietly)
    _Server(config).run()
    return 0


def _end_quietly() -> None:
    """DuckDB's binding lists on the last occasion what FastAPI's caches keep of it, which is nobody's concern."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


if __name__ == "__main__":
    sys.exit(main())
