"""The process that projects: settings to a database that follows the bucket until it is stopped."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from runtime.command_line import Parser
from runtime.errors import PlatformError
from runtime.logs import Log, configure
from runtime.scratch import own_scratch
from runtime.settings import Settings

if TYPE_CHECKING:
    from serving_layer.projection.projection import Projection
    from serving_layer.state.serving_state import ServingState

LOG = Log("projection")
# How long a change may go unnoticed that nobody told of, and the pause after a step that failed.
LOOK_SECONDS = 1.0
RETRY_SECONDS = 2.0


def parser() -> Parser:
    """What the command line takes."""
    parser = Parser(
        prog="project", description="Keep the merged views in the PostgreSQL database that PROJECTION_DATABASE names."
    )
    parser.add_argument("--once", action="store_true", help="write what the bucket has now, and end")
    parser.add_argument("--rebuild", action="store_true", help="make every table anew")
    return parser


@own_scratch()
def main(argv: list[str] | None = None) -> int:
    """Project until stopped, or once; 1 for settings that can't be used, and where `--once` fails."""
    options = parser().parse_args(argv)
    try:
        settings = Settings.load()
        configure(settings)
        from serving_layer.projection.projection import Projection
        from serving_layer.state.serving_state import ServingState

        state = ServingState(settings)
        projection = Projection(settings, state, options.rebuild)
        try:
            if options.once:
                state.look()
                state.follow_deltas()
                projection.step()
            else:
                projection.metrics.exposition.serve(settings)
                _follow(projection, state)
        finally:
            projection.close()
            state.stop()
    except PlatformError as error:
        LOG.error("stopped", error=error)
        return 1
    return 0


def _follow(projection: Projection, state: ServingState) -> None:
    """Project until a signal comes."""
    from serving_layer.state.succession import outcome

    changed, stopping = threading.Event(), threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        changed.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    state.served.told.append(changed.set)
    state.start()
    problem = None
    while not stopping.is_set():
        changed.wait(LOOK_SECONDS)
        changed.clear()
        before, problem = problem, outcome(projection.step) if state.generation else None
        if problem and problem != before:
            LOG.warning("the database stays as it was", error=problem)
        if problem:
            stopping.wait(RETRY_SECONDS)
