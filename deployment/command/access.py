"""The commands about who may ask: `keys` and `roster`."""

from __future__ import annotations

from pathlib import Path

import click

from deployment.command.printing import as_json as json_option
from deployment.command.printing import print_json, print_table
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from serving_layer.identity import api_keys
from serving_layer.identity.oneroster import COURSE_IDS, PERSON_IDS, roster_of
from serving_layer.identity.roster import difference, read_roster, write_roster
from serving_layer.identity.viewer import ROLES


def _store() -> Store:
    settings = Settings.load()
    return open_store(settings.identity, settings)


@click.group(epilog="\b\nExamples:\n  learn keys create --role admin --days 30\n  learn keys list --json")
def keys() -> None:
    """API keys of the query API, kept in IDENTITY as hashes."""


@keys.command(epilog="\b\nExamples:\n  learn keys create --role analyst --days 90 --note notebooks")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What the key may see.")
@click.option("--days", required=True, type=int, help="Days until it expires.")
@click.option("--person", default="", help="Whom it stands for: lecturers, advisers and students.")
@click.option("--scope", help="The only views and windows it is for, separated by commas.")
@click.option("--note", default="", help="What it is for.")
@json_option
def create(role: str, days: int, person: str, scope: str | None, note: str, as_json: bool) -> None:
    """Make a key and print it: it is shown here and never again."""
    views = scope.split(",") if scope is not None else None
    key, text = api_keys.create_key(_store(), role, days, person, views, note)
    if as_json:
        return print_json({**api_keys.described(key), "key": text})
    return click.echo(text)


@keys.command("list", epilog="\b\nExamples:\n  learn keys list --json")
@json_option
def list_(as_json: bool) -> None:
    """List the keys that aren't revoked."""
    found = [api_keys.described(key) for key in api_keys.list_keys(_store())]
    if as_json:
        return print_json(found)
    names = ("id", "role", "person", "scope", "expires_at", "note")
    rows = [[",".join(v) if isinstance(v := key[name], list) else v or "" for name in names] for key in found]
    return print_table(tuple(name.replace("_", " ") for name in names), rows)


@keys.command(epilog="\b\nExamples:\n  learn keys revoke 0123456789ab")
@click.argument("name", metavar="ID")
@json_option
def revoke(name: str, as_json: bool) -> None:
    """Revoke the key of that ID: within seconds it opens nothing."""
    api_keys.revoke_key(_store(), name)
    if as_json:
        return print_json({"revoked": name})
    return click.echo(f"revoked key {name}")


@click.group(epilog="\b\nExamples:\n  learn roster import oneroster/ --dry-run --json")
def roster() -> None:
    """Who teaches which course and who advises whom, kept in IDENTITY."""


@roster.command("import", epilog="\b\nExamples:\n  learn roster import oneroster/ --person username --dry-run")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--person", type=click.Choice(PERSON_IDS), default=PERSON_IDS[0], help="Column that events know people by."
)
@click.option("--course", type=click.Choice(COURSE_IDS), default=COURSE_IDS[0], help="Column of a class' course.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@json_option
def import_(folder: Path, person: str, course: str, dry_run: bool, as_json: bool) -> None:
    """Replace the roster by that of the OneRoster CSV files in FOLDER, and say what changes."""
    store = _store()
    teaches, advises = roster_of(folder, person, course)
    changes = difference(read_roster(store)[0], teaches, advises)
    version = read_roster(store)[0].version if dry_run else write_roster(store, teaches, advises).version
    if as_json:
        return print_json({"version": version, "changes": changes})
    for line in changes:
        click.echo(line)
    return click.echo(f"roster version {version}, {len(changes)} changes" + (" not made" if dry_run else ""))
