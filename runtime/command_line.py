"""Command lines that say in one line what is wrong."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

_CALLED: ContextVar[str] = ContextVar("called", default="")
_OUTCOME: ContextVar[dict[str, Any] | None] = ContextVar("outcome", default=None)


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, `<program>: <what is wrong>`, and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Complain and leave."""
        print(f"{caller(self.prog.removesuffix('.py'))}: {message}", file=sys.stderr)
        sys.exit(2)


def end_by_signals() -> None:
    """Let SIGTERM and SIGINT end this process as `sys.exit(0)` does, so that what belongs to its end is done.

    Uvicorn gives a signal that stopped it back to whoever had it before.
    """
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: sys.exit(0))


@contextmanager
def called(name: str) -> Iterator[dict[str, Any]]:
    """Within, command lines complain as `name`, by which the user called them; it gives what came of them."""
    found: dict[str, Any] = {}
    before, outcomes = _CALLED.set(name), _OUTCOME.set(found)
    try:
        yield found
    finally:
        _CALLED.reset(before)
        _OUTCOME.reset(outcomes)


def came_of_it(**facts: Any) -> None:
    """Say what came of a command line, for programs that ask; it is what people read of it too."""
    found = _OUTCOME.get()
    if found is not None:
        found.update(facts)


def caller(own: str) -> str:
    """As what a command line complains: the name by which it was called, its `own` where it was called by itself."""
    return _CALLED.get() or own
