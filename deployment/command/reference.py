"""Prints `docs/command-line.md` from the commands themselves: `python -m deployment.command.reference`."""

from __future__ import annotations

from pathlib import Path

import click

from deployment.command.learn import COMMANDS, learn

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "command-line.md"
INTRO = """\
# The command line

<!-- Printed from `deployment/command/` by `make docs`: not to be edited. -->

`learn` is installed by `make setup`, in the environment that `make venv` names: `. $(make -s venv)/bin/activate`. It
reads
the settings of [the environment](settings.md) and runs the code that the scripts by path run. Every command takes
`--help`, and `--json` to print for programs; errors are one line, the exit status 0 where it succeeded, 1 where it did
not, 2 where it was used wrongly. `eval "$(learn completion bash)"` makes the shell complete commands, options and names
of views.
"""


def page() -> str:
    """The page's text."""
    root = click.Context(learn, info_name="learn", **learn.context_settings)
    return "\n".join([INTRO, *(_part(root, name) for name in COMMANDS)])


def _part(root: click.Context, name: str) -> str:
    group = root.command
    command = group.get_command(root, name) if isinstance(group, click.Group) else None
    assert command is not None, name
    # The width is the page's, not that of the terminal on which it is printed.
    context = click.Context(command, info_name=name, parent=root, terminal_width=100, max_content_width=100)
    parts = [f"## {context.command_path}\n```\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        parts += [_part(context, name) for name in command.list_commands(context)]
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
