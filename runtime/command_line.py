"""Command lines that say in one line what is wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

_CALLED: ContextVar[str] = ContextVar("called", default="")


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, `<program>: <what is wrong>`, and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Complain and leave."""
        print(f"{caller(self.prog.removesuffix('.py'))}: {message}", file=sys.stderr)
        sys.exit(2)


@contextmanager
def called(name: str) -> Iterator[None]:
    """Within, command lines complain as `name`, by which the user called them."""
    before = _CALLED.set(name)
    try:
        yield
    finally:
        _CALLED.reset(before)


def caller(own: str) -> str:
    """As what a command line complains: the name by which it was called, its `own` where it was called by itself."""
    return _CALLED.get() or own
