"""Run the batch jobs: `python batch_layer/run_batch_jobs.py [JOB …] INPUT OUTPUT [--full]`."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from batch_layer.topic_run import BatchError, TopicResult, run_topic  # noqa: E402
from catalogue.events import JOBS, TOPICS  # noqa: E402
from catalogue.settings import Settings  # noqa: E402
from catalogue.spark import session  # noqa: E402
from catalogue.storage import Conflict, Store, StorageError, open_store  # noqa: E402

CURRENT = "_current.json"
ATTEMPTS = 10


def main(argv: list[str] | None = None) -> int:
    """Compute the views of the named jobs (default: all) and publish them together; 0 only if every job succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arguments", nargs="+", metavar="[JOB …] INPUT OUTPUT")
    parser.add_argument("--full", action="store_true", help="recompute from raw (every run does, for now)")
    options = parser.parse_args(argv)
    *jobs, source, target = options.arguments if len(options.arguments) > 1 else (*options.arguments, "")
    unknown = [job for job in jobs if job not in JOBS]
    if unknown or not target:
        problem = f"JOB must be one of {', '.join(JOBS)}; got {unknown[0]!r}" if unknown else "INPUT and OUTPUT are needed"
        print(f"run_batch_jobs: {problem}", file=sys.stderr)
        return 2
    try:
        settings = Settings.load()
        raw, output = open_store(source, settings), open_store(target, settings)
        if not raw.list():
            raise BatchError(f"INPUT must hold raw events; got {source!r}, which is missing or empty")
        results = _compute(jobs or list(JOBS), raw, output, settings)
        _publish(output, results[0], results[1])
    except (BatchError, StorageError, Conflict) as error:
        print(f"run_batch_jobs: {error}", file=sys.stderr)
        return 1
    return 0


def _compute(jobs: list[str], raw: Store, output: Store, settings: Settings) -> tuple[str, list[TopicResult]]:
    run = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    topics = [t.name for t in TOPICS.values() if t.job in jobs]
    horizon = settings.duplicate_days

    def compute(topic: str) -> TopicResult | str:
        try:
            return run_topic(topic, run, raw, output, horizon)
        except (BatchError, StorageError) as error:
            return str(error)

    spark = session("batch", settings)
    try:
        results = spark.sparkContext.parallelize(topics, len(topics)).map(compute).collect()
    finally:
        spark.stop()
    failures = [r for r in results if isinstance(r, str)]
    if failures:
        raise BatchError("; ".join(failures))
    return run, results


def _publish(output: Store, run: str, results: list[TopicResult]) -> None:
    """Make the run's views visible together; topics that it did not compute stay at their earlier run."""
    for _ in range(ATTEMPTS):
        tag = output.etag(CURRENT)
        current = json.loads(output.read(CURRENT)) if tag else {}
        merged = {key: dict(current.get(key, {})) for key in ("cut", "ledger", "views")}
        for result in results:
            merged["cut"][result.topic] = result.cut
            merged["ledger"][result.topic] = result.ledger
            merged["views"] |= result.views
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            output.swap(CURRENT, json.dumps({"run": run, "published_at": now, **merged}, indent=1).encode(), tag)
        except Conflict:
            continue
        for result in results:
            if result.unreadable_lines:
                print(f"{result.topic}: {result.unreadable_lines} unreadable lines left out", file=sys.stderr)
        print(f"published run {run}: {sum(v['rows'] for r in results for v in r.views.values())} rows")
        return
    raise Conflict(f"publish: '{CURRENT}' kept changing under {ATTEMPTS} attempts")


if __name__ == "__main__":
    sys.exit(main())
