"""The commands about what was shown: `audit` and `pseudonym`."""

from __future__ import annotations

import datetime as dt

import click

from deployment.command.api import Api
from deployment.command.printing import CommandProblem, print_json, print_table
from deployment.command.printing import as_json as json_option
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from serving_layer.disclosure import chains


def _store() -> Store:
    settings = Settings.load()
    return open_store(settings.disclosure_log, settings)


@click.group(epilog="\b\nExamples:\n  learn audit verify\n  learn audit student SV001 --json")
def audit() -> None:
    """What was shown to whom: the log of answers with rows of identified people, in DISCLOSURE_LOG."""


@audit.command(epilog="\b\nExamples:\n  learn audit verify --json")
@json_option
def verify(as_json: bool) -> None:
    """Check that nobody has changed or removed a record; exit status 1 where somebody has.

    Keep what it prints elsewhere: with the ends of then, the newest records can't be cut off unseen.
    """
    faults, ends, records = chains.verify(_store())
    if as_json:
        print_json({"records": records, "ends": ends, "faults": [vars(fault) for fault in faults]})
    else:
        print_table(("chain", "files to", "sha256"), [(c, e["number"], e["sha256"]) for c, e in ends.items()])
        click.echo(f"{records} records in {len(ends)} chains")
    if faults:
        told = "; ".join(f"{fault.place}: {fault.reason}" for fault in faults[:10])
        raise CommandProblem(f"the log must be as it was written: {told}; {len(faults)} faults")


@audit.command(epilog="\b\nExamples:\n  learn audit student SV001\n  learn audit student SV001 --json")
@click.argument("person", metavar="ID")
@json_option
def student(person: str, as_json: bool) -> None:
    """Who was shown rows of the person of that ID, when, of which view and run; teachers' too."""
    found = chains.shown_of(_store(), person)
    if as_json:
        return print_json(found)
    names = ("time", "who", "role", "by", "view", "run", "purpose")
    print_table(names, [[line.get(name) or "" for name in names] for line in found])
    return click.echo(f"{len(found)} answers had rows of {person}")


@audit.command(epilog="\b\nExamples:\n  learn audit trim --dry-run --json")
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@json_option
def trim(dry_run: bool, as_json: bool) -> None:
    """Remove what is older than DISCLOSURE_DAYS; what is left can be verified as before."""
    settings = Settings.load()
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=settings.disclosure_days)
    gone = chains.drop_before(_store(), f"{before:%Y-%m-%dT%H:%M:%SZ}", dry_run)
    if as_json:
        return print_json({"files": gone, "removed": not dry_run})
    return click.echo(f"{len(gone)} files" + (" would go" if dry_run else " removed"))


@click.command(epilog="\b\nExamples:\n  learn pseudonym 0123456789abcdef01234567 --purpose 'a warning to the student'")
@click.argument("name", metavar="PSEUDONYM")
@click.option("--purpose", default="", help="What for; it is noted down with who asked.")
@json_option
def pseudonym(name: str, purpose: str, as_json: bool) -> None:
    """Tell the person behind an analyst's PSEUDONYM; it takes an admin's API_KEY, and is noted down."""
    told = Api.of(Settings.load()).post("/pseudonyms", {"pseudonym": name}, {"X-Purpose": purpose}).json()
    return print_json(told) if as_json else click.echo(told["person"])
