"""Publish learning events to Kafka: generated ones, live or for a range of days, or replayed real ones."""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingestion_layer import producer_metrics
from ingestion_layer.delivery import Interruption, Stop, deliver, limited, rate_of, summary
from ingestion_layer.replay import Replay
from ingestion_layer.replay import options as replays
from ingestion_layer.sinks import FileSink, KafkaSink
from ingestion_layer.trouble import Trouble
from runtime.command_line import Parser, caller
from runtime.errors import PlatformError
from runtime.settings import Settings

if TYPE_CHECKING:
    from ingestion_layer.generated import Generated

EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def main(argv: list[str] | None = None) -> int:
    """Run the producer; 0 when every event was delivered, 1 when not or a replay had none, 2 for bad options."""
    options = parser().parse_args(argv)
    problem = _problem(options)
    if problem:
        print(f"{caller('producer')}: {problem}", file=sys.stderr)
        return 2
    interruption = Interruption()
    sent: Counter[str] = Counter()
    try:
        source = replays.replay(options) if options.replay else _generated(options)
        _collect_less()
        trouble = Trouble(options.duplicates, options.invalid, source.seed)
        fast = not rate_of(source, options)
        sink = FileSink(options.output, fast) if options.output else _kafka(sent, trouble, fast)
        records = trouble.add(limited(source, options))
        try:
            deliver(records, sink, options, sent, interruption)
        except Stop:
            pass
        finally:
            interruption.ignore()
        sink.close()
    except BrokenPipeError:  # the reader of standard output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Stop:
        pass
    except PlatformError as error:
        for fault in str(error).splitlines():
            print(f"{caller('producer')}: {fault}", file=sys.stderr)
        return 1
    else:
        return _ended(sent, source, trouble, interruption)
    return 0


def _collect_less() -> None:
    """Search for garbage less often, and never in what there is: the population lives as long as the process does.

    Searching it again and again would take a third of the time. What sending leaves behind is young when it is found.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 1_000)


def _generated(options: argparse.Namespace) -> Generated:
    from ingestion_layer.generated import Generated  # only here: scripts that don't fit the catalogue fail on import

    return Generated(options)


def _kafka(sent: Counter[str], trouble: Trouble, fast: bool) -> KafkaSink:
    settings = Settings.load()
    sink = KafkaSink(settings, fast)
    producer_metrics.serve(settings, sent, trouble.made, sink)
    return sink


def _ended(sent: Counter[str], source: Generated | Replay, trouble: Trouble, interruption: Interruption) -> int:
    """Print the summary; the exit status."""
    try:
        summary(sent, source, trouble)
    except PlatformError as error:
        print(f"{caller('producer')}: {error}", file=sys.stderr)
        return 1
    wrong = source.failure() if isinstance(source, Replay) and not sent and not interruption.asked else None
    if wrong:
        print(f"{caller('producer')}: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


def _checked(read: Callable[[str], Any], fits: Callable[[Any], bool], wanted: str) -> Callable[[str], Any]:
    """A type of argument: what `read` makes of the text, where it fits."""

    def value(text: str) -> Any:
        try:
            found = read(text)
        except ValueError:
            found = None
        if found is None or not fits(found):
            raise argparse.ArgumentTypeError(f"must be {wanted}; got {text!r}")
        return found

    return value


_share = _checked(float, lambda v: 0 <= v <= 1, "a share from 0 to 1")
_whole = _checked(int, lambda v: True, "a whole number")
_positive = _checked(int, lambda v: v >= 1, "a whole number of at least 1")
_above_zero = _checked(float, lambda v: 0 < v < float("inf"), "a number above 0")
_file = _checked(str, bool, "the name of a file")


def _instant(text: str) -> dt.datetime:
    day = dt.datetime.fromisoformat(text)
    return day.replace(tzinfo=day.tzinfo or dt.UTC)


# Beyond these an event is invalid when it arrives.
_day = _checked(
    _instant,
    lambda day: EARLIEST <= day <= dt.datetime.now(dt.UTC) + dt.timedelta(days=1),
    "a date as 2026-03-01, from 2000 to now",
)


def _problem(options: argparse.Namespace) -> str | None:
    if wrong := replays.problem(options):
        return wrong
    end = options.end or dt.datetime.now(dt.UTC)
    if options.start and options.start >= end:
        return f"--end must be after --start; got {options.start:%Y-%m-%d} and {end:%Y-%m-%d}"
    return None


def parser() -> Parser:
    """What the command line takes."""
    parser = Parser(prog="producer.py", description=__doc__, allow_abbrev=False)
    parser.add_argument("--events", type=_positive, metavar="N", help="how many, before trouble; past ones where alone")
    parser.add_argument("--duration", type=_above_zero, metavar="S", help="stop after S seconds")
    parser.add_argument("--rate", type=_above_zero, metavar="EPS", help="events per second; live default 50")
    parser.add_argument("--seed", type=_whole, metavar="N", help="the same seed and options give the same bytes")
    parser.add_argument("--students", type=_positive, default=1000, metavar="N", help="default 1000")
    parser.add_argument("--courses", type=_positive, default=40, metavar="N", help="default 40")
    parser.add_argument("--start", type=_day, metavar="DATE", help="first day of a range, as fast as it can (UTC)")
    parser.add_argument("--end", type=_day, metavar="DATE", help="end of the range, exclusive (UTC)")
    parser.add_argument("--late", type=_share, default=0.0, metavar="P", help="share of late events, 0.8 or so at most")
    parser.add_argument("--duplicates", type=_share, default=0.0, metavar="P", help="share of events sent twice")
    parser.add_argument("--invalid", type=_share, default=0.0, metavar="P", help="invalid events per valid one")
    parser.add_argument("--output", type=_file, metavar="FILE|-", help="write JSON lines instead of sending to Kafka")
    replays.add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
