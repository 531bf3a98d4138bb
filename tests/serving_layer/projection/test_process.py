"""`learn project` as a process: killed in the middle of a transaction, scraped while it follows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request

import pytest

from deployment.ports import free_port
from runtime.metrics import METRICS
from serving_layer.projection.database import ProjectionError
from tests.laws.test_merged import settle
from tests.serving_layer.projection.projected import LIMIT


def test_a_kill_in_mid_transaction_leaves_the_state_before(projected):
    platform, settings = projected.platform, projected.settings
    platform.micro_batch(0.4)
    projected.step()
    before = projected.check()
    projected.projection.close()
    platform.run_batch(at_boundary=True)
    platform.micro_batch(0.4)
    environ = os.environ | {
        "PROJECTION_DATABASE": settings.projection_database,
        **{name.upper(): getattr(settings, name) for name in ("batch_views", "speed_views", "identity")},
    }
    learn = [sys.executable, "-c", "import sys; from deployment.command.learn import main; sys.exit(main())"]
    waits = "SELECT pid FROM pg_stat_activity WHERE application_name = 'learn project' AND wait_event = 'transactionid'"
    connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'learn project'"
    with projected.connection() as watcher, projected.connection() as holder:
        with holder.transaction():
            holder.execute("SELECT * FROM learning.as_of FOR UPDATE")
            process = subprocess.Popen([*learn, "project"], env=environ, cwd="/")
            try:
                wait_until(lambda: watcher.execute(waits).fetchone(), process)
            finally:
                process.kill()
                process.wait(30)
        wait_until(lambda: watcher.execute(connected).fetchone() == (0,))
        assert projected.check(at_served_head=False) == before
    done = subprocess.run(
        [*learn, "project", "--once", "--json"], env=environ, cwd="/", capture_output=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == 0
    settle(projected.state)
    assert projected.check()["number"] == before["number"] + 1


def test_a_process_that_follows_tells_what_it_does(projected):
    projected.platform.micro_batch(0.5)
    settings, port = projected.settings, free_port()
    environ = os.environ | {
        "PROJECTION_DATABASE": settings.projection_database,
        "METRICS_PORT": str(port),
        **{name.upper(): getattr(settings, name) for name in ("batch_views", "speed_views", "identity")},
    }
    command = [
        sys.executable,
        "-c",
        "import sys; from deployment.command.learn import main; sys.exit(main())",
        "project",
    ]
    process = subprocess.Popen(command, env=environ, cwd="/")
    told: dict[str, float] = {}

    def scraped() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return False
        told.update((name, float(value)) for name, value in (n.rsplit(" ", 1) for n in lines if n[0] != "#"))
        return told["projection_transactions_total"] >= 1

    try:
        wait_until(scraped, process)
    finally:
        process.terminate()
    assert process.wait(LIMIT) == 0
    names = {name.split("{")[0].removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in told}
    assert {metric.name for metric in METRICS["projection"]} == {n for n in names if n.startswith("projection_")}
    assert told["projection_rows_total"] > 100 and told["projection_failures_total"] == 0
    assert time.time() - told["projection_current_timestamp_seconds"] < LIMIT
    with projected.connection() as connection:
        head = projected.as_of(connection)["head"]
    heads = {
        f'projection_head_offset{{partition="{partition}",topic="{topic}"}}': end
        for topic, partitions in head.items()
        for partition, end in partitions.items()
    }
    assert heads and heads.items() <= told.items()


def wait_until(holds, process: subprocess.Popen | None = None) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline and (process is None or process.poll() is None)
        time.sleep(0.05)


def test_a_failure_is_counted(projected):
    projected.projection.conninfo = "host=127.0.0.1 port=1 user=x"
    with pytest.raises(ProjectionError):
        projected.projection.step()
    registry = projected.projection.metrics.exposition.registry
    assert registry.get_sample_value("projection_failures_total") == 1
    assert registry.get_sample_value("projection_transactions_total") == 0
