"""Keep the speed views: `python speed_layer/stream_layer.py [--once]`.

Kafka's topics become one delta of rollups per micro-batch, visible by one manifest. `--once` stops when it has
caught up.
"""

from __future__ import annotations

import signal
import sys
import threading

from runtime.command_line import Parser
from runtime.errors import PlatformError
from runtime.logs import Log, configure
from runtime.scratch import own_scratch
from runtime.settings import Settings
from speed_layer.stream import run

LOG = Log("speed")


def parser() -> Parser:
    """What the command line takes."""
    parser = Parser(prog="stream_layer.py", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop when everything that waits is in a delta")
    return parser


@own_scratch()
def main(argv: list[str] | None = None) -> int:
    """Stream until stopped; 0 when it ended well, 1 where it can't go on. Kafka and the store may come and go."""
    options = parser().parse_args(argv)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        settings = Settings.load()
        configure(settings)
        run(settings, options.once, stopping)
    except PlatformError as error:
        LOG.error("stopped", error=error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
