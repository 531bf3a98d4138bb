"""The commands that run a layer: each is the layer's own command line, whose parser says what it takes."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from deployment.command.printing import print_json, steps_shown
from runtime.command_line import called
from runtime.settings import Settings
from runtime.storage.opening import open_store


@dataclass(frozen=True)
class Script:
    """A layer's command line: `module` has its `parser()` and `main(argv)`."""

    module: str
    about: str
    examples: tuple[str, ...]
    # What of the layer's state a program wants to know afterwards.
    outcome: Callable[[Sequence[str]], dict[str, Any]] = lambda argv: {}

    def parser(self) -> argparse.ArgumentParser:
        """Its options and arguments."""
        return importlib.import_module(self.module).parser()  # type: ignore[no-any-return]

    def main(self, argv: Sequence[str]) -> int:
        """Run it; the exit status."""
        return importlib.import_module(self.module).main(list(argv))  # type: ignore[no-any-return]


class ScriptCommand(click.Command):
    """A command whose arguments go to the layer's parser as they are; click knows them for help and completion."""

    def __init__(self, name: str, script: Script):
        self.script = script
        params = [_param(action) for action in script.parser()._actions if action.dest != "help"]
        params.append(click.Option(["--json"], is_flag=True, help="Print the outcome as JSON; logs are JSON too."))
        epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in script.examples)
        super().__init__(name, params=params, help=script.about, epilog=epilog, callback=self._run)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep `args`, but `--help` and `--json`, for the layer's parser."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        if "--help" in args or "-h" in args:
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()
        ctx.params = {"as_json": "--json" in args, "argv": [arg for arg in args if arg != "--json"]}
        return []

    def _run(self, as_json: bool, argv: list[str]) -> None:
        if not as_json:
            with steps_shown():
                status, _ = self._ran(argv)
            raise click.exceptions.Exit(status)
        if _writes_standard_output(argv):
            problem = "--json and '--output -' must not be given together: both take standard output"
            raise click.UsageError(problem, click.get_current_context())
        os.environ.setdefault("LOG_FORMAT", "json")
        started = time.monotonic()
        with contextlib.redirect_stdout(sys.stderr):
            status, found = self._ran(argv)
        found |= self.script.outcome(argv) if not status else {}
        print_json({"command": self.name, "status": status, "seconds": round(time.monotonic() - started, 3)} | found)
        raise click.exceptions.Exit(status)

    def _ran(self, argv: list[str]) -> tuple[int, dict[str, Any]]:
        """The exit status, and what the layer says came of it."""
        with called(f"learn {self.name}") as found:
            try:
                return self.script.main(argv), found
            except SystemExit as ended:  # argparse's way to refuse
                return ended.code if isinstance(ended.code, int) else 1, found


def _param(action: argparse.Action) -> click.Parameter:
    """An argparse action for click's help and completion."""
    choices = click.Choice([str(c) for c in action.choices]) if action.choices else None
    if not action.option_strings:
        return click.Argument([action.dest], metavar=str(action.metavar or action.dest.upper()), nargs=-1)
    flag = action.nargs == 0
    metavar = action.metavar if isinstance(action.metavar, str) else None
    text = (action.help or "").replace("%%", "%")
    return click.Option(
        list(action.option_strings), is_flag=flag, type=choices, metavar=metavar, help=text, multiple=not flag
    )


def _writes_standard_output(argv: Sequence[str]) -> bool:
    return "--output=-" in argv or ("--output", "-") in zip(argv, argv[1:], strict=False)


def published(argv: Sequence[str]) -> dict[str, Any]:
    """The run that a batch run's OUTPUT has published."""
    from catalogue.at_rest.runs import current

    places = [arg for arg in argv if not arg.startswith("--")]
    manifest = current(open_store(places[-1], Settings.load()))[0]
    return {"run": manifest.run, "published_at": manifest.published_at, "cut": manifest.cut, "ledger": manifest.ledger}


def landed(argv: Sequence[str]) -> dict[str, Any]:
    """Where the raw events of an ingestion end: the first offset that isn't landed, by topic and partition."""
    from catalogue.at_rest.raw_files import newest_commit
    from ingestion_layer.ingest_command import parser

    settings, options = Settings.load(), parser().parse_args(list(argv))
    place = options.to or (settings.hdfs_master_dataset if options.hdfs else settings.master_dataset)
    commit = newest_commit(open_store(place, settings))
    return {"to": place, "head": commit.head if commit else {}}


def followed(argv: Sequence[str]) -> dict[str, Any]:
    """Where the deltas of the speed layer end, and how many are kept."""
    from catalogue.at_rest.deltas import reached, read_deltas
    from catalogue.at_rest.runs import current
    from catalogue.events import TOPICS

    settings = Settings.load()
    deltas = read_deltas(open_store(settings.speed_views, settings))
    cut = current(open_store(settings.batch_views, settings))[0].cut
    head = {topic: reached(deltas, topic, cut.get(topic, {})) for topic in TOPICS}
    return {"to": settings.speed_views, "head": head, "deltas": len(deltas)}


def served(argv: Sequence[str]) -> dict[str, Any]:
    """Where the API answered, and the run that is published."""
    from catalogue.at_rest.runs import current
    from serving_layer.server import parser

    settings, options = Settings.load(), parser().parse_args(list(argv))
    manifest = current(open_store(settings.batch_views, settings))[0]
    host, port = options.host or settings.serving_host, options.port or settings.serving_port
    return {"address": f"http://{host}:{port}", "run": manifest.run, "published_at": manifest.published_at}


SCRIPTS = {
    "produce": Script(
        "ingestion_layer.producer",
        "Send learning events to Kafka, generated or replayed real ones, or write them to a file.",
        (
            "learn produce --events 5000",
            "learn produce --start 2026-03-01 --end 2026-03-08 --output events.jsonl",
            "learn produce --replay statements.jsonl --format xapi",
        ),
    ),
    "collect": Script(
        "ingestion_layer.collector",
        "Collect learning events by HTTP: ours, xAPI, Caliper, edX, Canvas; its page is at /docs.",
        ("learn collect", "learn collect --host 0.0.0.0 --port 8010"),
    ),
    "ingest": Script(
        "ingestion_layer.ingest_command",
        "Land raw events, each once: what arrives in Kafka, or a file of JSON lines, then without Kafka.",
        ("learn ingest", "learn ingest --once", "learn ingest --from events.jsonl --to raw"),
        landed,
    ),
    "batch": Script(
        "batch_layer.run_batch_jobs",
        "Compute the batch views from raw events and publish them together.",
        (
            "learn batch s3a://bucket-0/master_dataset s3a://bucket-0/batch_views",
            "learn batch video raw views --full",
        ),
        published,
    ),
    "speed": Script(
        "speed_layer.stream_layer",
        "Keep the speed views: a delta per micro-batch of what arrives in Kafka.",
        ("learn speed", "learn speed --once"),
        followed,
    ),
    "serve": Script(
        "serving_layer.server",
        "Serve the query API; its documentation is at /docs.",
        ("learn serve", "learn serve --host 0.0.0.0 --port 8080"),
        served,
    ),
    "project": Script(
        "serving_layer.projection.process",
        "Keep the merged views in the PostgreSQL database that PROJECTION_DATABASE names.",
        ("learn project", "learn project --once", "learn project --rebuild"),
    ),
}


def command(name: str) -> click.Command:
    """The command of that name."""
    return ScriptCommand(name, SCRIPTS[name])
