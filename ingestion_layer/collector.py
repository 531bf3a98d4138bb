"""Collect learning events by HTTP: ours, xAPI, Caliper, edX and Canvas, acknowledged when Kafka has them.

`python ingestion_layer/collector.py [--host HOST] [--port PORT]`; its page is at `/docs`.
"""

from __future__ import annotations

import sys

import uvicorn

from runtime.addresses import check_exposure
from runtime.command_line import Parser
from runtime.errors import PlatformError
from runtime.logs import Log, configure
from runtime.settings import Settings

LOG = Log("collector")
# Seconds for requests that are under way when the collector is told to stop.
DRAIN_SECONDS = 30
CONNECTIONS = 2048


def parser() -> Parser:
    """What the command line takes."""
    parser = Parser(prog="collector.py", description="Collect learning events by HTTP; its page is at `/docs`.")
    parser.add_argument("--host", help="address to listen on (default: COLLECTOR_HOST)")
    parser.add_argument("--port", help="port to listen on (default: COLLECTOR_PORT)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Collect until stopped; 1 for settings that can't be used."""
    options = parser().parse_args(argv)
    try:
        settings = Settings.load(COLLECTOR_HOST=options.host, COLLECTOR_PORT=options.port)
        configure(settings)
        _check(settings)
        from ingestion_layer.collecting.application import create_app
        from ingestion_layer.collecting.protocol import Protocol

        app = create_app(settings)
        app.state.desk.accounts.exposition.serve(settings)
    except PlatformError as error:
        LOG.error("stopped", error=error)
        return 1
    uvicorn.run(
        app,
        host=settings.collector_host,
        port=settings.collector_port,
        log_config=None,
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http=Protocol,
        backlog=CONNECTIONS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return 0


def _check(settings: Settings) -> None:
    """SettingsError where the collector may not start as it is set; a line of the log where everyone may send."""
    check_exposure(settings.collector_host, settings)
    if settings.authentication == "local":
        host = settings.collector_host
        LOG.info("whoever reaches this collector may send", authentication=settings.authentication, host=host)


if __name__ == "__main__":
    sys.exit(main())
