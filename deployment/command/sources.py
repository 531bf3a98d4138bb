"""The commands about who may send to the collector: `sources`."""

from __future__ import annotations

import click

from deployment.command.printing import as_json as json_option
from deployment.command.printing import print_json, print_table
from ingestion_layer.collecting.sources import MOST_BYTES, ROLES, STANDARDS, Source, read_sources, remove_source
from ingestion_layer.collecting.sources import add_source as declare
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Store


def _store() -> Store:
    settings = Settings.load()
    return open_store(settings.collector_sources, settings)


@click.group(epilog="\b\nExamples:\n  learn sources add moodle --standard xapi\n  learn sources list --json")
def sources() -> None:
    """Who may send to the collector, kept in COLLECTOR_SOURCES; of keys only hashes are kept."""


@sources.command(
    epilog="\b\nExamples:\n  learn sources add moodle --standard xapi --role student\n"
    "  learn sources add pages --standard xapi --origin https://courses.example.org --rate 200"
)
@click.argument("name")
@click.option("--standard", required=True, type=click.Choice(STANDARDS), help="What it sends.")
@click.option("--course", help="Course of events that tell none.")
@click.option("--role", type=click.Choice(ROLES), help="Role of those who have none.")
@click.option("--origin", "origins", multiple=True, help="Page whose scripts may send, '*' for any; repeatable.")
@click.option("--rate", type=float, default=0.0, help="Events per second at most; 0 for any number.")
@click.option("--bytes", "size", type=int, default=MOST_BYTES, show_default=True, help="Bytes of a body at most.")
@json_option
def add(
    name: str,
    standard: str,
    course: str | None,
    role: str | None,
    origins: tuple[str, ...],
    rate: float,
    size: int,
    as_json: bool,
) -> None:
    """Declare the source NAME, or replace it, and print its key: it is shown here and never again."""
    source = Source(name, standard, "", course, role, origins, rate, size)
    key = declare(_store(), source)
    if as_json:
        return print_json({**source.described(), "key": key})
    return click.echo(key)


@sources.command("list", epilog="\b\nExamples:\n  learn sources list --json")
@json_option
def list_(as_json: bool) -> None:
    """List the sources."""
    found = [source.described() for source in read_sources(_store())[0].by_name.values()]
    if as_json:
        return print_json(found)
    names = ("name", "standard", "course", "role", "origins", "rate", "bytes")
    rows = [[" ".join(v) if isinstance(v := source[name], tuple) else v or "" for name in names] for source in found]
    return print_table(names, rows)


@sources.command(epilog="\b\nExamples:\n  learn sources remove moodle")
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Let the source NAME send no more: collectors know within seconds."""
    remove_source(_store(), name)
    if as_json:
        return print_json({"removed": name})
    return click.echo(f"removed source {name}")
