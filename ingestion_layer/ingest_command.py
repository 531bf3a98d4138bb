"""The command line of ingestion, behind each of its entry files."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

from ingestion_layer.offline import Landed, land_file
from runtime.command_line import Parser, caller
from runtime.errors import PlatformError
from runtime.logs import Log, configure
from runtime.progress import progress
from runtime.settings import Settings
from runtime.storage.opening import open_store

LOG = Log("ingestion")


def main(argv: list[str] | None = None, description: str | None = None, to_hdfs: bool = False) -> int:
    """Ingest from Kafka until stopped, or until caught up with `--once`, or land a file; 0 when it ended well.

    `to_hdfs` takes HDFS_MASTER_DATASET for the raw events and a folder beside it for the quarantine.
    """
    commands = parser(description)
    options = commands.parse_args(argv)
    if options.source is None and (options.to or options.quarantine or options.arrival):
        commands.error("--to, --quarantine and --arrival need --from FILE")
    if options.source is not None and (options.to is None or options.once or options.hdfs):
        commands.error("--from FILE needs --to FOLDER, and stops by itself: without --once, --hdfs")
    try:
        settings = Settings.load()
        configure(settings)
        if options.source is not None:
            return _land(options, settings)
        target, beside = settings.master_dataset, settings.quarantine
        if to_hdfs or options.hdfs:
            target, beside = settings.hdfs_master_dataset, quarantine_beside(settings.hdfs_master_dataset)
    except PlatformError as error:
        if options.source is None:
            LOG.error("stopped", error=error)
        else:
            print(f"{caller(commands.prog.removesuffix('.py'))}: {error}", file=sys.stderr)
        return 1
    from ingestion_layer.ingestion import ingest  # only here: a file is landed without Spark

    return ingest(settings, target, beside, options.once)


def quarantine_beside(target: str) -> str:
    """The folder for rejected events beside a folder of raw ones."""
    return f"{target.rstrip('/').rpartition('/')[0] or '.'}/quarantine"


def summary(landed: Landed) -> list[str]:
    """What became of a file, for people."""
    told = [f"landed {landed.landed} of {landed.read} lines in {landed.files} files"]
    if landed.bytes_before:
        told.append(f"landed before: the first {landed.bytes_before} bytes")
    if landed.erased:
        told.append(f"of people who were erased: {landed.erased}")
    return [*told, f"invalid: {landed.invalid}", f"unparseable, in quarantine only: {landed.unparseable}"]


def _land(options: argparse.Namespace, settings: Settings) -> int:
    raw = open_store(options.to, settings)
    quarantine = open_store(options.quarantine or quarantine_beside(options.to), settings)
    source = Path(options.source)
    step = f"landing {source.name}"
    progress(step)
    landed = land_file(
        source,
        raw,
        quarantine,
        options.arrival,
        lambda so_far: progress(step, f"{so_far.read:,} lines"),
        settings.erasure_key,
    )
    for line in summary(landed):
        print(line, file=sys.stderr)
    return 0


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a moment as 2026-03-01T08:00:00Z; got {text!r}") from None
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def parser(description: str | None = None) -> Parser:
    """What the command line takes."""
    parser = Parser(description=description, allow_abbrev=False)
    parser.add_argument("--once", action="store_true", help="stop when everything that waits in Kafka is landed")
    parser.add_argument("--hdfs", action="store_true", help="land in HDFS_MASTER_DATASET instead of MASTER_DATASET")
    parser.add_argument(
        "--from", dest="source", metavar="FILE", help="land JSON lines, plain, gzip or zstd, instead of Kafka's records"
    )
    parser.add_argument("--to", metavar="FOLDER", help="where raw files go: a folder, s3a:// or hdfs://")
    parser.add_argument("--quarantine", metavar="FOLDER", help="where rejected lines go; beside --to by default")
    parser.add_argument(
        "--arrival",
        type=_moment,
        metavar="MOMENT",
        help="when the lines arrived (UTC); by default when they are landed",
    )
    return parser
