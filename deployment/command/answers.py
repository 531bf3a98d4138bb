"""The commands that ask the query API: `views`, `query`, `freshness`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from deployment.command.api import Api
from deployment.command.printing import CommandProblem, WrongUse, print_json, print_pairs, print_table
from deployment.command.printing import as_json as json_option
from runtime.settings import Settings

FORMATS = ("table", "json", "csv", "parquet", "arrow")
BINARY = ("parquet", "arrow")
LAYERS = ("merged", "batch", "speed")


def _view_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of views that begin so, for the shell."""
    from catalogue.views import VIEWS

    return [CompletionItem(name) for name in VIEWS if name.startswith(incomplete)]


@click.command(epilog="\b\nExamples:\n  learn views\n  learn views video_student_engagement\n  learn views --json")
@click.argument("view", required=False, shell_complete=_view_names)
@json_option
def views(view: str | None, as_json: bool) -> None:
    """List the views, or the columns of one VIEW with their meaning."""
    listed = Api.of(Settings.load()).get("/views").json()["views"]
    if view is None:
        if as_json:
            return print_json(listed)
        rows = [(v["name"], ", ".join(v["key"]), len(v["columns"])) for v in listed]
        return print_table(("view", "one row per", "columns"), rows)
    found = next((v for v in listed if v["name"] == view), None)
    if found is None:
        raise WrongUse(f"VIEW must be one that `learn views` lists; got {view!r}")
    if as_json:
        return print_json(found)
    rows = [(c["name"], c["type"], c["meaning"]) for c in found["columns"]]
    return print_table(("column", "type", "meaning"), rows, f"{view}: one row per {', '.join(found['key'])}")


@click.command(
    epilog="\b\nExamples:\n"
    "  learn query video_student_engagement user_id=SV001\n"
    "  learn query video_course_metrics --sort -total_course_watch_seconds --limit 5\n"
    "  learn query auth_daily_active_users date__gte=2026-03-01 --format csv --all > users.csv\n"
    "  learn query course_overall_metrics --format parquet --output courses.parquet"
)
@click.argument("view", shell_complete=_view_names)
@click.argument("filters", nargs=-1, metavar="[COLUMN=VALUE]...")
@click.option("--sort", metavar="COLUMNS", help="Order by these, separated by commas; '-' before one descends.")
@click.option("--fields", metavar="COLUMNS", help="Only these columns, separated by commas.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Rows of a page.")
@click.option("--cursor", help="Go on behind a page: what it named as next.")
@click.option("--all", "everything", is_flag=True, help="All pages, not only the first.")
@click.option("--layer", type=click.Choice(LAYERS), default="merged", show_default=True, help="What the rows are from.")
@click.option("--as-of-run", metavar="RUN", help="As this batch run published it.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@json_option
def query(
    view: str,
    filters: tuple[str, ...],
    sort: str | None,
    fields: str | None,
    limit: int,
    cursor: str | None,
    everything: bool,
    layer: str,
    as_of_run: str | None,
    form: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Ask for rows of VIEW.

    COLUMN=VALUE filters by a column; COLUMN__in=A,B, COLUMN__gte=, __lte=, __gt=, __lt= and COLUMN__isnull=true do
    what their names say.
    """
    form = "json" if as_json else form
    if form in BINARY and output is None and sys.stdout.isatty():
        raise WrongUse(f"--format {form} must go to a file: --output FILE, or a pipe")
    if form in BINARY and everything:
        raise WrongUse(f"--all must go with {', '.join(f for f in FORMATS if f not in BINARY)}; got {form}")
    chosen = {
        "sort": sort,
        "fields": fields,
        "cursor": cursor,
        "as_of_run": as_of_run,
        "layer": layer,
        "limit": str(limit),
    }
    parameters = [_filter(text) for text in filters] + [(name, text) for name, text in chosen.items() if text]
    api = Api.of(Settings.load())
    if form in BINARY or form == "csv":
        pages = (answer.body for answer in _raw_pages(api, view, [*parameters, ("format", form)], everything))
        _write(b"".join(body if not i else body.partition(b"\n")[2] for i, body in enumerate(pages)), output)
        return
    answers = list(_pages(api, view, parameters, everything))
    answer = answers[-1] | {"rows": [row for page in answers for row in page["rows"]]}
    if form == "json":
        _print_or_write(answer, output)
        return
    if output:
        raise WrongUse("--output must go with --format json, csv, parquet or arrow; got table")
    print_table(answer["columns"], [[row[c] for c in answer["columns"]] for row in answer["rows"]])
    run = answer["as_of"].get("run")
    click.echo(
        f"{len(answer['rows'])} of {answer['total']} rows; batch run {run or 'none'}, {_behind(answer['as_of'])}"
    )
    if answer["next"]:
        click.echo(f"next page: --cursor {answer['next']}, or --all")


@click.command(epilog="\b\nExamples:\n  learn freshness\n  learn freshness --json")
@json_option
def freshness(as_json: bool) -> None:
    """What the answers cover, how far behind they are, and whether every event is accounted for."""
    fresh = Api.of(Settings.load()).get("/freshness").json()
    if as_json:
        return print_json(fresh)
    fates = ("landed", "counted", "duplicate", "invalid", "erased")
    rows = []
    for topic in sorted(fresh["head"] or fresh["ledger"]):
        entries = fresh["ledger"].get(topic, {}).values()
        covered = (sum(fresh[name].get(topic, {}).values()) for name in ("cut", "head"))
        rows.append((topic, *covered, *(sum(entry.get(fate, 0) for entry in entries) for fate in fates)))
    print_table(("topic", "offsets in batch", "in the answers", *fates), rows)
    return print_pairs({"batch run": fresh["run"] or "none", "answers": _behind(fresh)})


def _filter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise WrongUse(f"a filter must be COLUMN=VALUE or COLUMN__gte=VALUE; got {text!r}")
    return name, value


def _behind(as_of: dict[str, Any]) -> str:
    lag = as_of.get("lag_seconds")
    return "behind by an unknown time" if lag is None else f"{lag} s behind"


def _raw_pages(api: Api, view: str, parameters: list[tuple[str, str]], everything: bool) -> Iterator[Any]:
    answer = api.get(f"/views/{view}", parameters)
    yield answer
    while everything and (cursor := answer.headers.get("X-Next")):
        answer = api.get(f"/views/{view}", [*(p for p in parameters if p[0] != "cursor"), ("cursor", cursor)])
        yield answer


def _pages(api: Api, view: str, parameters: list[tuple[str, str]], everything: bool) -> Iterator[dict[str, Any]]:
    answer = api.get(f"/views/{view}", parameters).json()
    yield answer
    while everything and answer["next"]:
        rest = [*(p for p in parameters if p[0] != "cursor"), ("cursor", answer["next"])]
        answer = api.get(f"/views/{view}", rest).json()
        yield answer


def _print_or_write(answer: dict[str, Any], output: Path | None) -> None:
    if output is None:
        return print_json(answer)
    import json

    return _write(json.dumps(answer, ensure_ascii=False).encode(), output)


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise CommandProblem(f"--output must be a file that can be written; got {error}") from error
