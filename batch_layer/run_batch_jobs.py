"""Compute the batch views from raw events and publish them together.

Incremental: only events that the published run does not cover are read. `--stage RUN` computes without publishing, so
that jobs can run as processes of their own; `--publish RUN` then makes what they staged visible at once.
`--runs OUTPUT` lists the runs that are kept; `--republish RUN OUTPUT` goes back to one: serving and speed follow.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import uuid

from batch_layer import metrics
from batch_layer.execution import execute
from batch_layer.publication import (
    drop_old_runs,
    forget_staged,
    is_published,
    publish,
    republish,
    stage,
    staged,
)
from batch_layer.topic_task import BatchError, TopicResult, TopicTask
from catalogue.at_rest.deltas import boundary, read_deltas
from catalogue.at_rest.erasures import ErasureError, keep_version, read_erasures
from catalogue.at_rest.floors import read_floors
from catalogue.at_rest.raw_files import newest_commit
from catalogue.at_rest.runs import current, kept_runs
from catalogue.events import JOBS, TOPICS
from runtime.command_line import Parser, caller
from runtime.logs import Log, configure
from runtime.progress import progress
from runtime.scratch import own_scratch
from runtime.settings import Settings, SettingsError
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError, Store

LOG = Log("batch")
INTERRUPTED = 130


@own_scratch()
def main(argv: list[str] | None = None, about: str = "") -> int:
    """Run the named jobs (default: all); 0 only if every one succeeded, 1 if not, 2 for bad arguments, 130 on Ctrl-C.

    `about` ends what `--help` prints.
    """
    options = parser(about).parse_args(argv)
    if options.runs or options.republish:
        return _go_back(options.arguments, options.republish)
    *jobs, source, target = options.arguments if len(options.arguments) > 1 else (*options.arguments, "")
    unknown = [job for job in jobs if job not in JOBS]
    if unknown or not target:
        problem = (
            f"JOB must be one of {', '.join(JOBS)}; got {unknown[0]!r}" if unknown else "INPUT and OUTPUT are needed"
        )
        print(f"{caller('run_batch_jobs')}: {problem}", file=sys.stderr)
        return 2
    run, settings = "", None
    try:
        settings = Settings.load()
        configure(settings)
        raw, output = open_store(source, settings), open_store(target, settings)
        if options.publish:
            run = options.publish
            _finish(output, run, staged(output, run), settings)
            return 0
        progress(f"reading what is new in {source}")
        if not raw.list():
            raise BatchError(f"INPUT must hold raw events; got {source!r}, which is missing or empty")
        if options.stage and is_published(output, options.stage):
            raise BatchError(f"RUN to stage must not be published already; {options.stage!r} is")
        run = options.stage or new_run()
        results = compute(run, jobs or list(JOBS), options.full, raw, output, settings)
        if options.stage:
            stage(output, results, run)
            LOG.info("staged", run=run, topics=len(results), events=sum(r.events for r in results))
            print(f"staged run {run}: {len(results)} topics; publish it with --publish {run}")
        else:
            _finish(output, run, results, settings)
    except (BatchError, ErasureError, StorageError, SettingsError) as error:
        if run:
            LOG.error("failed", run=run, error=error)
        else:
            print(f"{caller('run_batch_jobs')}: {error}", file=sys.stderr)
        if settings:
            metrics.leave_failure(settings)
        return 1
    except KeyboardInterrupt:
        print(f"{caller('run_batch_jobs')}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def parser(about: str = "") -> Parser:
    """What the command line takes; `about` ends its help."""
    parser = Parser(
        prog="run_batch_jobs.py",
        description=__doc__,
        epilog=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("arguments", nargs="+", metavar="[JOB …] INPUT OUTPUT", help=f"JOB: {', '.join(JOBS)}")
    parser.add_argument("--full", action="store_true", help="recompute from all raw events")
    step = parser.add_mutually_exclusive_group()
    step.add_argument("--stage", metavar="RUN", help="compute for the run of this id, publish nothing")
    step.add_argument("--publish", metavar="RUN", help="publish what was staged for the run of this id")
    step.add_argument("--runs", action="store_true", help="list the runs that OUTPUT keeps")
    step.add_argument("--republish", metavar="RUN", help="publish a run that OUTPUT keeps again")
    return parser


def _go_back(arguments: list[str], run: str | None) -> int:
    """List the kept runs of the one argument OUTPUT, or publish `run` of them again."""
    if len(arguments) != 1:
        print(f"{caller('run_batch_jobs')}: only OUTPUT is needed; got {' '.join(arguments)}", file=sys.stderr)
        return 2
    try:
        output = open_store(arguments[0], Settings.load())
        if run:
            republish(output, run)
            LOG.info("published again", run=run)
            print(f"published run {run} again")
            return 0
        published = current(output)[0].run
        for manifest in kept_runs(output):
            mark = ", published" if manifest.run == published else ""
            print(f"{manifest.run}: of {manifest.published_at}, {manifest.landed} events{mark}")
    except (BatchError, StorageError, SettingsError) as error:
        print(f"{caller('run_batch_jobs')}: {error}", file=sys.stderr)
        return 1
    return 0


def new_run() -> str:
    """A run's id: when it began, and something that no other has."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S.%f}"[:-3] + f"-{uuid.uuid4().hex[:6]}"


def compute(run: str, jobs: list[str], full: bool, raw: Store, output: Store, settings: Settings) -> list[TopicResult]:
    """The results of the jobs' topics that have something new, under the id of a run; nothing is published."""
    manifest = current(output)[0]
    bases = {} if full else manifest.state
    limits = _limits(raw, output, manifest.cut, settings)
    erased = read_erasures(raw, settings.erasure_key)
    keep_version(output, erased)
    floors = read_floors(raw)
    topics = sorted((t for t in TOPICS.values() if t.job in jobs), key=lambda t: -t.share)
    tasks = [
        TopicTask(
            t.name,
            run,
            bases.get(t.name),
            raw,
            output,
            settings.duplicate_days,
            limits.get(t.name),
            settings.task_memory,
            erased,
            floors.get(t.name, {}),
        )
        for t in topics
    ]
    return execute(tasks, settings)


def _limits(
    raw: Store, output: Store, cuts: dict[str, dict[str, int]], settings: Settings
) -> dict[str, dict[str, int]]:
    """Where to cut each topic so that a delta of the speed layer ends there; without an entry, all that is landed.

    Only the run that the speed layer follows has to look at its deltas.
    """
    newest = newest_commit(raw)
    if newest is None or output.uri.rstrip("/") != settings.batch_views.rstrip("/"):
        return {}
    landed = newest.head
    try:
        deltas = read_deltas(open_store(settings.speed_views, settings))
    except (ValueError, StorageError) as error:  # any cut is exact; one where a delta ends saves the speed layer work
        LOG.warning("cuts where the raw events end", error=error)
        return {}
    found = {t: boundary(deltas, t, cuts.get(t, {}), landed.get(t, {})) for t in TOPICS}
    return {topic: cut for topic, cut in found.items() if cut is not None}


def _finish(output: Store, run: str, results: list[TopicResult], settings: Settings) -> None:
    if not results:
        forget_staged(output, run)
        print("nothing new since the published run; it stays")
        metrics.leave_success(settings, current(output)[0], [])
        return
    progress(f"publishing run {run}")
    manifest = publish(output, run, results)
    for result in results:
        how = f"on top of run {result.base}" if result.base else "from all raw events"
        print(f"{result.topic}: {result.events} events {how}, {len(result.views)} views")
        if result.unreadable_lines:
            kept = f"_unreadable/topic={result.topic}/run={run}.json"
            LOG.warning("unreadable lines", run=run, topic=result.topic, lines=result.unreadable_lines, kept=kept)
    LOG.info("published", run=run, topics=len(results), events=sum(r.events for r in results))
    print(f"published run {run}")
    metrics.leave_success(settings, manifest, results)
    try:
        dropped = drop_old_runs(output, settings.keep_runs)
    except StorageError as error:  # the run is published; the next one tries again
        LOG.warning("old runs are not dropped", run=run, error=error)
        return
    if dropped:
        LOG.info("dropped old runs", run=run, dropped=len(dropped))


if __name__ == "__main__":
    sys.exit(main())
