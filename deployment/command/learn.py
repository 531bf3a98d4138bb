"""`learn`, the one command: its subcommands are imported when they are asked for, so that each starts fast."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import get_completion_class

from runtime.errors import PlatformError

SHELLS = ("bash", "zsh", "fish")
# Each subcommand, in the order of help: where it is, and what it does in a line.
COMMANDS = {
    "up": ("stack", "Start Kafka and MinIO on this machine."),
    "down": ("stack", "Stop what runs on this machine; the data stays."),
    "status": ("stack", "What runs on this machine."),
    "demo": ("stack", "The whole path on this machine, from nothing to answers."),
    "produce": ("scripts", "Send learning events, generated or replayed."),
    "collect": ("scripts", "Collect learning events by HTTP."),
    "ingest": ("scripts", "Land raw events, from Kafka or a file."),
    "batch": ("scripts", "Compute and publish the batch views."),
    "speed": ("scripts", "Keep the speed views up to date."),
    "serve": ("scripts", "Serve the query API."),
    "project": ("scripts", "Keep the merged views in a PostgreSQL database."),
    "views": ("answers", "List the views, or the columns of one."),
    "query": ("answers", "Ask for rows of a view."),
    "freshness": ("answers", "What the answers cover, and how far behind they are."),
    "runs": ("runs", "List the batch runs that are kept."),
    "republish": ("runs", "Go back to a batch run that is kept."),
    "sources": ("sources", "Who may send to the collector."),
    "keys": ("access", "API keys of the query API."),
    "roster": ("access", "Who teaches which course and who advises whom."),
    "audit": ("audit", "What was shown to whom."),
    "pseudonym": ("audit", "The person behind an analyst's pseudonym."),
    "erase": ("persons", "Erase people from everything that is kept."),
    "export": ("persons", "Everything that is held about a person, as files."),
    "retention": ("persons", "Drop what is older than its topic is kept."),
    "completion": ("learn", "Print the completion script of a shell."),
}


class Subcommands(click.Group):
    """The subcommands of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The one of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"deployment.command.{COMMANDS[cmd_name][0]}")
        found: click.Command = getattr(module, cmd_name, None) or module.command(cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="learning-analytics", prog_name="learn")
def learn() -> None:
    """Learning analytics, from events to answers. `learn COMMAND --help` has examples."""


@click.command(epilog='\b\nExamples:\n  eval "$(learn completion bash)"')
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what SHELL has to read so that it completes commands, options and names of views."""
    found = get_completion_class(shell)
    if found:
        click.echo(found(learn, {}, "learn", "_LEARN_COMPLETE").source())


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; 0 when it succeeded, 1 when not, 2 for wrong usage, 130 on Ctrl-C. Errors are one line."""
    name = "learn"
    try:
        code: Any = learn.main(list(sys.argv[1:] if argv is None else argv), "learn", standalone_mode=False)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        name = context.command_path if context else name
        print(f"{name}: {error.format_message()}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader of standard output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except click.exceptions.Abort:
        print("learn: interrupted", file=sys.stderr)
        return 130
    except (PlatformError, OSError) as error:
        print(f"learn: {error}", file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0
