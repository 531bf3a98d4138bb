"""The whole path on this machine: `make demo` starts the stack, the speed layer and the query API, sends real and
generated
events, lands them raw, computes the views, and asks the API. What it started keeps running; `make down` stops it, its
data stays.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalogue.at_rest.runs import current
from catalogue.events import TOPICS
from deployment.installation import StackError
from deployment.local_layers import DATA, LocalLayers
from deployment.local_stack import ROOT, LocalStack
from kafka import KafkaProducer
from runtime.command_line import Parser
from runtime.kafka_access import python_client
from runtime.kafka_offsets import KafkaBounds, Offsets
from runtime.settings import Settings
from runtime.storage.opening import open_store

SHOWN = {
    "video_course_metrics": "total_course_watch_seconds",
    "assessment_grading_stats": "total_assignments_graded",
    "course_daily_engagement": "event_count",
    "auth_daily_active_users": "daily_active_users",
    "notification_click_through_rate": "total_sent",
}
ROWS = 4
GENERATED = ("--events", "5000", "--late", "0.05", "--duplicates", "0.02", "--invalid", "0.01")
PATIENCE_SECONDS = 120


def main(argv: list[str] | None = None) -> int:
    """Run the demo; 0 when every step succeeded."""
    parser = Parser(prog="demo", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the servers' data")
    folder = parser.parse_args(argv).data.resolve()
    started = time.monotonic()
    stack, layers = LocalStack(folder, external=True), LocalLayers(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stack.up()
        settings = stack.settings
        environ = {**os.environ, **stack.environment}
        print("\n== speed layer, query API and collector: starting in the background", flush=True)
        layers.start(environ, settings.serving_port, settings.collector_port)
        producer = "ingestion_layer/producer.py"
        _step("real video events (xAPI)", environ, producer, "--replay", _data("xapi"), "--format", "xapi")
        _step("real course events (Moodle)", environ, producer, "--replay", _data("moodle"), "--format", "moodle")
        _step("generated events, some late, twice or invalid", environ, producer, *GENERATED)
        _step("landing them raw in MinIO", environ, "ingestion_layer/minio_ingest.py", "--once")
        places = (settings.master_dataset, settings.batch_views)
        _step("computing the views", environ, "batch_layer/run_batch_jobs.py", *places)
        print(f"\n== merged answers of {layers.address}", flush=True)
        _wait_for_all(layers, settings)
        for view, order in SHOWN.items():
            _show(layers, view, order)
        _freshness(layers)
        _one_event(layers, settings)
        _one_statement(layers)
    except StackError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(f"\nraw events in {settings.master_dataset}, views in {settings.batch_views}, at {settings.minio_endpoint}")
    print(f"collector: {layers.collector}/events, /xapi, /caliper, /edx, its documentation: {layers.collector}/docs")
    print(f"query API: {layers.address}/views, its documentation: {layers.address}/docs")
    print("these keep running, `make down` stops them:")
    for name, text in (stack.status() | layers.status()).items():
        print(f"  {name}: {text}")
    print(f"done in {time.monotonic() - started:.0f} s")
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


def _wait(layers: LocalLayers, what: str, holds: Callable[[], Any]) -> None:
    """Until something holds; StackError where a layer ends or it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        ended = [name for name in ("speed", "serving", "collector") if not layers.running(name)]
        if ended:
            raise StackError(f"{ended[0]}: must keep running; got an end, see {layers.log(ended[0])}")
        if time.monotonic() > deadline:
            raise StackError(f"{what} within {PATIENCE_SECONDS} s; see {layers.log('speed').parent}")
        time.sleep(0.05)


def _wait_for_all(layers: LocalLayers, settings: Settings) -> None:
    with closing(KafkaBounds(settings, TOPICS)) as kafka:
        ends = kafka.read()[1]

    run = current(open_store(settings.batch_views, settings))[0].run

    def covered() -> bool:
        fresh = layers.freshness() or {}
        head: Offsets = fresh.get("head", {})
        return fresh.get("run") == run and all(
            head.get(t, {}).get(p, 0) >= end for t, found in ends.items() for p, end in found.items()
        )

    _wait(layers, "every event, and the run, must be in the answers", covered)


def _show(layers: LocalLayers, view: str, order: str) -> None:
    with urllib.request.urlopen(f"{layers.address}/views/{view}?sort=-{order}&limit={ROWS}&format=arrow") as answer:
        rows = pa.ipc.open_stream(answer.read()).read_all()
        print(f"\n{view}: {answer.headers['X-Total']} rows, the first by {order}", flush=True)
    duckdb.from_arrow(rows).show(max_width=150)


def _freshness(layers: LocalLayers) -> None:
    fresh = layers.freshness() or {}
    sums = dict.fromkeys(("landed", "counted", "duplicate", "invalid"), 0)
    for entries in fresh["ledger"].values():
        for entry in entries.values():
            for fate in sums:
                sums[fate] += entry[fate]
    cut, head = (sum(sum(fresh[name][t].values()) for t in TOPICS) for name in ("cut", "head"))
    print(
        f"\nfreshness: run {fresh['run']} covers {cut} offsets, the speed layer {head - cut} more; "
        f"{fresh['lag_seconds']} s behind\nledger: {sums['landed']} landed = {sums['counted']} counted "
        f"+ {sums['duplicate']} duplicate + {sums['invalid']} invalid",
        flush=True,
    )


def login(user: str) -> bytes:
    """An event of now: a student logs in, in a session that is called as the user."""
    event = {
        "event_id": str(uuid.uuid4()),
        "event_category": "AUTH",
        "event_type": "LOGIN",
        "user_id": user,
        "role": "student",
        "session_id": user,
        "timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
    }
    return json.dumps(event).encode()


def _one_event(layers: LocalLayers, settings: Settings) -> None:
    """Send an event, and say when it is in the answer."""
    user = f"demo-{uuid.uuid4().hex[:8]}"
    address = f"{layers.address}/views/auth_user_activity_summary?user_id={user}"
    producer = python_client(KafkaProducer, settings)
    sent = time.monotonic()
    producer.send("auth_topic", login(user), key=user.encode()).get(30)
    rows: list[dict[str, Any]] = []

    def found() -> bool:
        with urllib.request.urlopen(address) as answer:
            rows.extend(json.load(answer)["rows"])
        return bool(rows)

    _wait(layers, "an event that is sent now must be in the answer", found)
    producer.close()
    print(
        f"\nan event sent now is in the answer after {time.monotonic() - sent:.1f} s:\n{address}\n{rows[0]}", flush=True
    )


def _one_statement(layers: LocalLayers) -> None:
    """Send a statement to the collector as an LMS does, and say when it is in the answer."""
    user = f"demo-{uuid.uuid4().hex[:8]}"
    told = {
        "actor": {"mbox": f"mailto:{user}@example.org"},
        "verb": {"id": "http://id.tincanapi.com/verb/logged-in"},
        "object": {"id": "https://lms.example.org/"},
        "context": {"registration": str(uuid.uuid4())},
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    headers = {"Content-Type": "application/json", "X-Experience-API-Version": "1.0.3"}
    place = f"{layers.collector}/xapi/statements"
    known = urllib.parse.quote(f"{user}@example.org")
    address = f"{layers.address}/views/auth_user_activity_summary?user_id={known}"
    rows: list[dict[str, Any]] = []

    def taken() -> bool:
        request = urllib.request.Request(place, json.dumps(told).encode(), headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return bool(answer.status == 200)
        except OSError:  # it starts still
            return False

    def found() -> bool:
        with urllib.request.urlopen(address) as answer:
            rows.extend(json.load(answer)["rows"])
        return bool(rows)

    _wait(layers, "the collector must take a statement", taken)
    sent = time.monotonic()
    _wait(layers, "a statement that is sent now must be in the answer", found)
    curl = " ".join(f"-H '{name}: {text}'" for name, text in headers.items())
    print(f"\na statement sent by\ncurl {curl} -d '{json.dumps(told)}' {place}")
    print(f"is in the answer after {time.monotonic() - sent:.1f} s:\n{address}\n{rows[0]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
