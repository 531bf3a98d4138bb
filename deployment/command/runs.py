"""The commands about batch runs that are kept: `runs`, `republish`."""

from __future__ import annotations

import click

from deployment.command.printing import as_json as json_option
from deployment.command.printing import print_json, print_table
from runtime.settings import Settings
from runtime.storage.opening import open_store


@click.command(epilog="\b\nExamples:\n  learn runs\n  learn runs s3a://bucket-0/batch_views --json")
@click.argument("output", required=False)
@json_option
def runs(output: str | None, as_json: bool) -> None:
    """List the batch runs that OUTPUT keeps (default: BATCH_VIEWS), the published one marked."""
    from catalogue.at_rest.runs import current, kept_runs

    settings = Settings.load()
    store = open_store(output or settings.batch_views, settings)
    published = current(store)[0].run
    found = [
        {"run": m.run, "published_at": m.published_at, "events": m.landed, "published": m.run == published}
        for m in kept_runs(store)
    ]
    if as_json:
        return print_json(found)
    rows = [(r["run"], r["published_at"], r["events"], "yes" if r["published"] else "") for r in found]
    return print_table(("run", "published at", "events", "published"), rows)


@click.command(epilog="\b\nExamples:\n  learn republish 20260301T080000.000-abc123")
@click.argument("run")
@click.argument("output", required=False)
@json_option
def republish(run: str, output: str | None, as_json: bool) -> None:
    """Publish RUN, which OUTPUT keeps (default: BATCH_VIEWS), again: serving and speed follow."""
    from batch_layer.publication import republish as publish_again

    settings = Settings.load()
    place = output or settings.batch_views
    publish_again(open_store(place, settings), run)
    if as_json:
        return print_json({"run": run, "output": place})
    return click.echo(f"published run {run} again")
