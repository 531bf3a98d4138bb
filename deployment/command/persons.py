"""The commands about what is held of a person: `erase`, `export`, `retention`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from deployment.command.printing import WrongUse, print_json, steps_shown
from deployment.command.printing import as_json as json_option
from deployment.persons.export import export as write_export
from deployment.persons.places import Places
from runtime.scratch import own_scratch
from runtime.settings import Settings


@click.command(
    epilog="\b\nExamples:\n  learn erase --user SV001 --dry-run\n  learn erase --file ids.txt\n  learn erase --again"
)
@click.option("--user", "users", multiple=True, metavar="ID", help="Whom to erase; may be given again.")
@click.option(
    "--file", "ids", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file of ids, one a line."
)
@click.option("--dry-run", is_flag=True, help="Say what names them, and change nothing.")
@click.option("--again", is_flag=True, help="Relieve files of everyone who was erased, as after a restored backup.")
@json_option
@own_scratch()
def erase(users: tuple[str, ...], ids: Path | None, dry_run: bool, again: bool, as_json: bool) -> None:
    """Erase people: from raw events, quarantine, states, views, deltas, every run, roster and keys, for good.

    It may be stopped and called again, and runs beside every layer. What names them afterwards counts as erased.
    """
    from catalogue.at_rest.erasures import read_erasures
    from deployment.persons import erasure

    people = [*users, *(ids.read_text(encoding="utf-8").splitlines() if ids else ())]
    people = [one for one in people if one]
    if bool(people) == again:
        raise WrongUse("--user or --file must be given, or --again alone")
    settings = Settings.load()
    places = Places.of(settings)
    if dry_run or again:
        with steps_shown():
            found = (
                erasure.again(places, read_erasures(places.raw, settings.erasure_key))
                if again
                else erasure.preview(places, people)
            )
        if as_json:
            return print_json({path: asdict(account) for path, account in found.items()})
        told = "would be relieved of" if dry_run else "were relieved of"
        return click.echo(f"{len(found)} files {told} {sum(a.lines for a in found.values())} lines")
    with steps_shown():
        certificate = erasure.erase(places, people)
    if as_json:
        return print_json(json.loads(certificate.encoded()))
    click.echo(
        f"erased {certificate.events} events from {len(certificate.objects)} files, and run {certificate.run} has none"
    )
    for path, times in certificate.remains.items():
        click.echo(f"named still, in a place that no field declares: '{path}', {times} times")
    for log in certificate.kafka:
        click.echo(
            f"in Kafka still: {log['topic']} partition {log['partition']}, {log['events']} events: {log['removed_by']}"
        )
    return click.echo(f"certificate: {certificate.certificate}, {certificate.objects_searched} objects searched")


@click.command(epilog="\b\nExamples:\n  learn export --user SV001 --to held/")
@click.option("--user", required=True, metavar="ID", help="About whom.")
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder.")
@json_option
@own_scratch()
def export(user: str, folder: Path, as_json: bool) -> None:
    """Write everything that is held about a person as JSON lines and CSV, with the meaning of each column."""
    with steps_shown():
        rows = write_export(Places.of(Settings.load()), user, folder)
    if as_json:
        return print_json(rows)
    for name, count in rows.items():
        click.echo(f"{folder / name}: {count} rows")
    return click.echo(f"{folder / 'meanings.csv'}: what each column means")


@click.command(epilog="\b\nExamples:\n  learn retention --dry-run\n  learn retention --json")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@json_option
def retention(dry_run: bool, as_json: bool) -> None:
    """Drop raw events, rejected ones, runs and deltas that are older than their topic is kept. To be run daily.

    Records of what was shown to whom go after DISCLOSURE_DAYS, as by `learn audit trim`.
    """
    from deployment.persons.retention import retain

    with steps_shown():
        found = retain(Places.of(Settings.load()), dry_run)
    if as_json:
        return print_json(asdict(found))
    told = f"{len(found.raw)} raw files, {len(found.quarantine)} of rejected events, {len(found.runs)} runs"
    click.echo(f"{'would drop' if dry_run else 'dropped'} {told}, {len(found.deltas)} deltas")
    click.echo(f"and {len(found.shown)} files of what was shown to whom")
    if found.waiting:
        click.echo(f"kept {len(found.waiting)} raw files that are old enough: no published run covers them")
    return None
