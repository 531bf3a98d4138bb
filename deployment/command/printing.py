"""What commands print: tables for people, JSON for programs, and one line where something is wrong."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

from runtime.progress import shown_by

# A table that goes to no terminal is as wide as its content; this is wider than any.
WIDEST = 100_000
F = TypeVar("F", bound=Callable[..., Any])


class CommandProblem(click.ClickException):
    """A command can't do what it was asked for; exit status 1."""


class WrongUse(CommandProblem):
    """What a command was asked for is wrong; exit status 2."""

    exit_code = 2


def as_json(command: F) -> F:
    """The option `--json` of a command, as its argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(command)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """A table; as wide as the terminal, or as its content where the output is no terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", header_style="bold")
    numeric = [bool(rows) and all(_is_number(row[i]) or row[i] is None for row in rows) for i in range(len(columns))]
    for name, right in zip(columns, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = Console(width=WIDEST).measure(table).maximum
    console.print(table)


def print_pairs(pairs: Mapping[str, Any]) -> None:
    """One line per name and value."""
    for name, value in pairs.items():
        click.echo(f"{name}: {value}")


@contextlib.contextmanager
def working(what: str, quiet: bool = False) -> Iterator[None]:
    """Show on a terminal that something is going on; `quiet` also sends what is printed meanwhile to standard error."""
    with contextlib.ExitStack() as stack:
        if sys.stderr.isatty():
            from rich.console import Console

            stack.enter_context(Console(stderr=True).status(what))
        if quiet:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield


@contextlib.contextmanager
def steps_shown() -> Iterator[None]:
    """Show on a terminal which step of a long command goes on, how far it is, and since when."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
    )
    # What goes to standard output is printed above the step where that is the terminal, and stays apart where not.
    shown = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())

    def show(what: str, done: str) -> None:
        shown.start()  # not before there is a step: most commands have none
        for task in shown.tasks:
            if task.description == what:
                return shown.update(task.id, done=done, refresh=True)
            shown.remove_task(task.id)
        shown.add_task(what, total=None, done=done)

    try:
        with shown_by(show):
            yield
    finally:
        shown.stop()


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)
