"""The commands about this machine: `up`, `down`, `status`, `demo`."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from deployment.command.printing import as_json as json_option
from deployment.command.printing import print_json, print_pairs, working
from deployment.local_layers import DATA

data_option = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=DATA, help="Folder of the servers' data."
)


@click.command(epilog="\b\nExamples:\n  learn up\n  learn up --json")
@data_option
@json_option
def up(data: Path, as_json: bool) -> None:
    """Start Kafka and MinIO on this machine; what the first start needs is fetched or built."""
    from deployment import installation
    from deployment.local_stack import LocalStack

    with working("starting Kafka and MinIO", quiet=as_json):
        installation.spark_jars()
        data.mkdir(parents=True, exist_ok=True)
        LocalStack(data.resolve(), external=True).up()
    _status(data, as_json, demand=True)


@click.command(epilog="\b\nExamples:\n  learn down")
@data_option
@json_option
def down(data: Path, as_json: bool) -> None:
    """Stop what `learn up` and `learn demo` started; the data stays."""
    from deployment.local_layers import LocalLayers
    from deployment.local_stack import LocalStack

    with working("stopping", quiet=as_json):
        LocalLayers(data.resolve()).stop()
        LocalStack(data.resolve(), external=True).down()
    _status(data, as_json, demand=False)


@click.command(epilog="\b\nExamples:\n  learn status\n  learn status --json")
@data_option
@json_option
def status(data: Path, as_json: bool) -> None:
    """What runs on this machine; exit status 1 where Kafka or MinIO doesn't answer."""
    _status(data, as_json, demand=True)


@click.command(epilog="\b\nExamples:\n  learn demo")
@data_option
@json_option
def demo(data: Path, as_json: bool) -> None:
    """The whole path on this machine, on real and generated events: from nothing to merged answers."""
    from deployment.demo import main

    with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):
        code = main(["--data", str(data)])
    if code:
        raise click.exceptions.Exit(code)
    if as_json:
        _status(data, as_json, demand=True)


def _status(data: Path, as_json: bool, demand: bool) -> None:
    from deployment.local_layers import LocalLayers
    from deployment.local_stack import LocalStack

    stack, layers = LocalStack(data.resolve(), external=True), LocalLayers(data.resolve())
    found = stack.status() | layers.status()
    (print_json if as_json else print_pairs)(found)
    if demand and not stack.healthy():
        raise click.exceptions.Exit(1)
