"""How far a long command has come, told to whoever shows it; to nobody where nobody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# What is going on, and how much of it is done so far.
Shown = Callable[[str, str], None]
_SHOWN: ContextVar[Shown | None] = ContextVar("shown", default=None)


def progress(what: str, done: str = "") -> None:
    """The step named `what` goes on, and so much of it is `done`; a new name begins a new step."""
    show = _SHOWN.get()
    if show:
        show(what, done)


def shown() -> Shown | None:
    """Whoever is told, for another thread to tell; None where nobody looks."""
    return _SHOWN.get()


@contextmanager
def shown_by(show: Shown) -> Iterator[None]:
    """Within, `show` is told."""
    before = _SHOWN.set(show)
    try:
        yield
    finally:
        _SHOWN.reset(before)
