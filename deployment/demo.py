"""The whole path on this machine: `make demo` starts the stack, sends real and generated events, lands them raw, computes
the views and prints some of them. What it started keeps running; `make down` stops it, its data stays.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from catalogue.runs import current, view_file
from catalogue.storage import Store, open_store
from deployment.installation import StackError
from deployment.local_stack import ROOT, LocalStack

SHOWN = {
    "video_course_metrics": "total_course_watch_seconds",
    "assessment_grading_stats": "total_assignments_graded",
    "course_daily_engagement": "event_count",
    "auth_daily_active_users": "daily_active_users",
    "notification_click_through_rate": "total_sent",
}
ROWS = 4
GENERATED = ("--events", "5000", "--late", "0.05", "--duplicates", "0.02", "--invalid", "0.01")


def main() -> int:
    """Run the demo; 0 when every step succeeded."""
    started = time.monotonic()
    stack = LocalStack(external=True)
    try:
        stack.folder.mkdir(exist_ok=True)
        stack.up()
        settings = stack.settings
        environ = {**os.environ, **stack.environment}
        producer = "ingestion_layer/producer.py"
        _step("real video events (xAPI)", environ, producer, "--replay", _data("xapi"), "--format", "xapi")
        _step("real course events (Moodle)", environ, producer, "--replay", _data("moodle"), "--format", "moodle")
        _step("generated events, some late, twice or invalid", environ, producer, *GENERATED)
        _step("landing them raw in MinIO", environ, "ingestion_layer/minio_ingest.py", "--once")
        places = (settings.master_dataset, settings.batch_views)
        _step("computing the views", environ, "batch_layer/run_batch_jobs.py", *places)
        _show(open_store(settings.batch_views, settings))
    except StackError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(f"\nraw events in {settings.master_dataset}, views in {settings.batch_views}, at {settings.minio_endpoint}")
    print(f"done in {time.monotonic() - started:.0f} s; `make down` stops Kafka and MinIO")
    return 0


def _data(name: str) -> str:
    """The real data where it is at hand, else the project's own small sample of it."""
    folder = Path(os.environ.get("LEARNING_DATA") or ROOT.parent / "shared" / "data")
    places = {
        "xapi": (folder / "funmooc_xapi" / "statements.jsonl.gz", "xapi/statements.jsonl"),
        "moodle": (folder / "moodle_uef" / "events.csv.gz", "moodle/events.csv"),
    }
    real, sample = places[name]
    return str(real if real.exists() else ROOT / "tests" / "samples" / sample)


def _step(what: str, environ: dict[str, str], script: str, *options: str) -> None:
    print(f"\n== {what}\n   python {script} {' '.join(options)}", flush=True)
    done = subprocess.run([sys.executable, str(ROOT / script), *options], env=environ, check=False)
    if done.returncode:
        raise StackError(f"'{script}' must succeed; got exit status {done.returncode}")


def _show(views: Store) -> None:
    manifest, _ = current(views)
    with tempfile.TemporaryDirectory() as folder:
        for name, order in SHOWN.items():
            view = manifest["views"][name]
            local = f"{folder}/{name}.parquet"
            views.download(view_file(view["path"]), local)
            print(f"\n{name}: {view['rows']} rows, the first by {order}", flush=True)
            duckdb.read_parquet(local).order(f"{order} DESC").limit(ROWS).show(max_width=150)
    counted = sum(e["counted"] for partitions in manifest["ledger"].values() for e in partitions.values())
    landed = sum(e["landed"] for partitions in manifest["ledger"].values() for e in partitions.values())
    rest = ", ".join(
        f"{sum(e[kind] for partitions in manifest['ledger'].values() for e in partitions.values())} {kind}"
        for kind in ("duplicate", "invalid")
    )
    print(f"\nrun {manifest['run']}: {landed} landed = {counted} counted, {rest}; {len(manifest['views'])} views")


if __name__ == "__main__":
    sys.exit(main())
