"""Publish learning events to Kafka: generated ones, live or for a range of days, or replayed real ones."""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from tqdm import tqdm

from ingestion_layer import producer_metrics
from ingestion_layer.clock import DAY, SECOND, Schedule, WallClock
from ingestion_layer.population import Population
from ingestion_layer.replay import Replay, ReplayError
from ingestion_layer.replay import options as replays
from ingestion_layer.simulation import Simulation
from ingestion_layer.sinks import FileSink, KafkaSink, Record, SinkError
from ingestion_layer.trouble import Trouble
from runtime.command_line import Parser
from runtime.settings import Settings, SettingsError

LIVE_RATE = 50.0
EVENTS_PER_STUDENT_AND_DAY = 20
RANGE_DAYS = 30
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
SEEDED_START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
SIGNUPS_PER_EVENT = 0.006


class Stop(Exception):
    """The user wants to end."""


class Interruption:
    """What Ctrl-C and SIGTERM do: raise Stop, but not between an event's sending and its counting unless asked twice."""

    def __init__(self) -> None:
        self.asked = self.sending = False
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._ask)

    def _ask(self, *_: object) -> None:
        again, self.asked = self.asked, True
        if again or not self.sending:
            raise Stop

    def ignore(self) -> None:
        """From now on nothing interrupts."""
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)


def main(argv: list[str] | None = None) -> int:
    """Run the producer; 0 when every event was delivered, 1 when not or nothing of a replay was one, 2 for bad options."""
    options = parser().parse_args(argv)
    problem = _problem(options)
    if problem:
        print(f"producer: {problem}", file=sys.stderr)
        return 2
    interruption = Interruption()
    sent: Counter[str] = Counter()
    try:
        source = replays.replay(options) if options.replay else Generated(options)
        _collect_less()
        trouble = Trouble(options.duplicates, options.invalid, source.seed)
        fast = not _rate(source, options)
        sink = FileSink(options.output, fast) if options.output else _kafka(sent, trouble, fast)
        records = trouble.add(_limited(source, options))
        try:
            _deliver(records, sink, options, sent, interruption)
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
    except (SinkError, ReplayError, SettingsError) as error:
        print(f"producer: {error}", file=sys.stderr)
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


def _kafka(sent: Counter[str], trouble: Trouble, fast: bool) -> KafkaSink:
    settings = Settings.load()
    sink = KafkaSink(settings.kafka_bootstrap_servers, fast)
    producer_metrics.serve(settings, sent, trouble.made, sink)
    return sink


class Generated:
    """Generated events: live ones on the wall clock, or past ones as fast as they can be made.

    A number of events alone, or a range of days, is past; anything else is live. Where they go has no part in it.
    """

    def __init__(self, options: argparse.Namespace):
        self.seed = str(options.seed) if options.seed is not None else str(random.SystemRandom().getrandbits(64))
        ranged = bool(options.start or options.end)
        alone = options.events is not None and options.rate is None and options.duration is None
        live = not (ranged or alone)
        days, start = self._range(options)
        events = options.events
        if events is None and not live:
            events = max(1, round(options.students * EVENTS_PER_STUDENT_AND_DAY * days))
        begin = round(start.timestamp()) * SECOND
        newcomers = options.students // 10 if events is None else int(events * SIGNUPS_PER_EVENT) + 1
        people = Population(
            int.from_bytes(self.seed.encode()), options.students, options.courses,
            max(1, min(options.students // 2, newcomers)), time.time_ns() // 1000 if live else begin,
        )  # fmt: skip
        self.rate = (options.rate or LIVE_RATE) if live else None
        numbers = np.random.default_rng(int.from_bytes(self.seed.encode()) % 2**64)
        end = begin + round(days * DAY)
        clock = WallClock(self.rate) if self.rate else Schedule(begin, end, events, numbers)
        self._simulation = Simulation(people, clock, self.seed, options.late, events)
        self.total = events

    def __iter__(self) -> Iterator[Record]:
        return islice(self._simulation.records(), self.total)

    def notes(self) -> list[str]:
        """What the summary says of these events."""
        return [f"late: {self._simulation.late_made}"]

    @staticmethod
    def _range(options: argparse.Namespace) -> tuple[float, dt.datetime]:
        end = options.end
        if options.start is None and end is None:
            if options.seed is not None:
                return RANGE_DAYS, SEEDED_START
            end = dt.datetime.now(dt.UTC)
        start = options.start or end - dt.timedelta(days=RANGE_DAYS)
        end = end or min(start + dt.timedelta(days=RANGE_DAYS), dt.datetime.now(dt.UTC))
        return (end - start) / dt.timedelta(days=1), start


def _rate(source: Generated | Replay, options: argparse.Namespace) -> float | None:
    """Events per second; None for as fast as they can be sent."""
    return options.rate or (source.rate if isinstance(source, Generated) else None)


def _limited(source: Generated | Replay, options: argparse.Namespace) -> Iterator[Record]:
    """The source's records at the wanted rate, up to the wanted number and duration."""
    started = time.monotonic()
    rate = _rate(source, options)
    for number, record in enumerate(islice(source, options.events)):
        if rate:
            ahead = number / rate - (time.monotonic() - started)
            if ahead > 0.002:
                time.sleep(ahead)
        if options.duration is not None and time.monotonic() - started >= options.duration:
            return
        yield record


def _deliver(
    records: Iterator[Record],
    sink: FileSink | KafkaSink,
    options: argparse.Namespace,
    sent: Counter,
    interruption: Interruption,
) -> None:
    bar = tqdm(total=options.events, unit=" events", disable=not sys.stderr.isatty(), mininterval=0.5)
    with bar:
        for record in records:
            interruption.sending = True
            sink.send(record)
            sent[record[0]] += 1
            interruption.sending = False
            if interruption.asked:
                raise Stop
            bar.update()


def _ended(sent: Counter, source: Generated | Replay, trouble: Trouble, interruption: Interruption) -> int:
    """Print the summary; the exit status."""
    try:
        _summary(sent, source, trouble)
    except ReplayError as error:
        print(f"producer: {error}", file=sys.stderr)
        return 1
    wrong = source.failure() if isinstance(source, Replay) and not sent and not interruption.asked else None
    if wrong:
        print(f"producer: {wrong}", file=sys.stderr)
    return 1 if wrong else 0


def _summary(sent: Counter, source: Generated | Replay, trouble: Trouble) -> None:
    faults = {name: number for name, number in trouble.made.items() if name != "duplicate"}
    print(f"sent {sum(sent.values())} events", file=sys.stderr)
    for topic, number in sorted(sent.items()):
        print(f"  {topic}: {number}", file=sys.stderr)
    print(f"duplicates: {trouble.made['duplicate']}", file=sys.stderr)
    print(f"invalid: {sum(faults.values())}", file=sys.stderr)
    for name, number in sorted(faults.items()):
        print(f"  {name}: {number}", file=sys.stderr)
    for note in source.notes():
        print(note, file=sys.stderr)


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
    parser.add_argument(
        "--rate", type=_above_zero, metavar="EPS", help=f"events per second; live default {LIVE_RATE:g}"
    )
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
