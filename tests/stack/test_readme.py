"""README's commands, layer by layer, as they stand there, on a real stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deployment.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300


def commands(master: str, views: str, port: int) -> list[str]:
    """The commands, with what their brackets and capitals stand for."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = [line.split("#")[0].strip() for line in re.findall(r"^    (python .*)$", text, re.MULTILINE)]
    chosen = {
        "[--once]": "--once",
        "[JOB …] INPUT OUTPUT [--full]": f"{master} {views}",
        "[--host --port]": f"--port {port}",
    }
    for written, meant in chosen.items():
        found = [command.replace(written, meant) for command in found]
    return found


@contextmanager
def serving(command: str, environ: dict[str, str], port: int) -> Iterator[str]:
    """The address of a server that is ready."""
    server = subprocess.Popen(command.split(), cwd=ROOT, env=environ)
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + LIMIT
    try:
        while True:
            try:
                if httpx.get(f"{address}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline and server.poll() is None, command
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def test_the_commands_lead_to_an_answer(stack, tmp_path):
    names = ("MASTER_DATASET", "BATCH_VIEWS", "SPEED_VIEWS", "QUARANTINE")
    places = {name: f"s3a://bucket-0/readme/{name.lower()}" for name in names} | {"COLLECTOR_DATA": str(tmp_path)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, **stack.environment, **places, "PATH": path}
    port = free_port()
    producer, collector, *layers, server = commands(places["MASTER_DATASET"], places["BATCH_VIEWS"], port)
    scripts = [Path(command.split()[1]).stem for command in (producer, collector, *layers, server)]
    assert scripts == ["producer", "collector", "minio_ingest", "run_batch_jobs", "stream_layer", "serving_layer"]

    def done(command: str) -> None:
        ended = subprocess.run(command.split(), cwd=ROOT, env=environ, capture_output=True, text=True, timeout=LIMIT)
        assert ended.returncode == 0, f"{command}: {ended.stderr[-2000:]}"

    done(producer)
    with serving(collector, environ, port) as address:
        sample = (ROOT / "tests" / "samples" / "edx" / "tracking.log").read_bytes()
        assert httpx.post(f"{address}/edx", content=sample, timeout=60).status_code == 200
    for layer in layers:
        done(layer)
    with serving(server, environ, port) as address:
        (shown,) = re.findall(
            r"curl 'http://127.0.0.1:8000(/views/\S+)'", (ROOT / "README.md").read_text(encoding="utf-8")
        )
        answer = httpx.get(address + shown).json()
        assert answer["as_of"]["run"] and all(row["user_id"] == "SV001" for row in answer["rows"])
        assert httpx.get(f"{address}/views/course_overall_metrics").json()["total"] > 0
        ledger = httpx.get(f"{address}/freshness").json()["ledger"]
        landed = sum(entry["landed"] for partitions in ledger.values() for entry in partitions.values())
        assert landed > 5000
