"""From a source of events to a sink: at what rate, until when, and what is said of it."""

from __future__ import annotations

import signal
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from tqdm import tqdm

from ingestion_layer.sinks import FileSink, KafkaSink, Record
from ingestion_layer.trouble import Trouble
from runtime.command_line import came_of_it

# Events that are due within so long are sent together: each time that it wakes costs this process and the broker.
SLICE_SECONDS = 0.02


class Source(Protocol):
    """Where events come from; live ones have a `rate`, how many there are a second."""

    def __iter__(self) -> Iterator[Record]: ...

    def notes(self) -> list[str]:
        """What the summary says of these events."""
        ...


class Stop(Exception):
    """The user wants to end."""


class Interruption:
    """What Ctrl-C and SIGTERM do: raise Stop, but not between an event's sending and counting unless asked twice."""

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


def rate_of(source: Source, options: Namespace) -> float | None:
    """Events per second; None for as fast as they can be sent."""
    return options.rate or getattr(source, "rate", None)


def limited(source: Source, options: Namespace) -> Iterator[Record]:
    """The source's records at the wanted rate, up to the wanted number and duration."""
    started = time.monotonic()
    rate = rate_of(source, options)
    for number, record in enumerate(islice(source, options.events)):
        due = number / rate if rate else 0.0
        ahead = due - (time.monotonic() - started)
        if ahead > SLICE_SECONDS:
            time.sleep(ahead)
        if options.duration is not None and max(due, time.monotonic() - started) >= options.duration:
            return
        yield record


def deliver(
    records: Iterator[Record],
    sink: FileSink | KafkaSink,
    options: Namespace,
    sent: Counter[str],
    interruption: Interruption,
) -> None:
    """Send records and count them by topic in `sent`; raises Stop where the user wants to end, and SinkError."""
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


def summary(sent: Counter[str], source: Source, trouble: Trouble) -> None:
    """Print what was sent."""
    faults = {name: number for name, number in trouble.made.items() if name != "duplicate"}
    came_of_it(
        sent=sum(sent.values()),
        topics=dict(sorted(sent.items())),
        duplicates=trouble.made["duplicate"],
        invalid=dict(sorted(faults.items())),
    )
    print(f"sent {sum(sent.values())} events", file=sys.stderr)
    for topic, number in sorted(sent.items()):
        print(f"  {topic}: {number}", file=sys.stderr)
    print(f"duplicates: {trouble.made['duplicate']}", file=sys.stderr)
    print(f"invalid: {sum(faults.values())}", file=sys.stderr)
    for name, number in sorted(faults.items()):
        print(f"  {name}: {number}", file=sys.stderr)
    for note in source.notes():
        print(note, file=sys.stderr)
