"""README's commands, layer by layer, as they stand there, on a real stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx

from deployment.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300


def commands(master: str, views: str, port: int) -> list[str]:
    """The five commands, with what their brackets and capitals stand for."""
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


def test_the_commands_lead_to_an_answer(stack):
    names = ("MASTER_DATASET", "BATCH_VIEWS", "SPEED_VIEWS", "QUARANTINE")
    places = {name: f"s3a://bucket-0/readme/{name.lower()}" for name in names}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, **stack.environment, **places, "PATH": path}
    port = free_port()
    *layers, serving = commands(places["MASTER_DATASET"], places["BATCH_VIEWS"], port)
    assert [re.sub(r"\W.*", "", layer.split()[1]) for layer in (*layers, serving)] == [
        "ingestion_layer", "ingestion_layer", "batch_layer", "speed_layer", "serving_layer",
    ]  # fmt: skip
    for layer in layers:
        done = subprocess.run(layer.split(), cwd=ROOT, env=environ, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, f"{layer}: {done.stderr[-2000:]}"
    server = subprocess.Popen(serving.split(), cwd=ROOT, env=environ)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                if httpx.get(f"{address}/health/ready").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline and server.poll() is None
            time.sleep(0.2)
        (shown,) = re.findall(
            r"curl 'http://127.0.0.1:8000(/views/\S+)'", (ROOT / "README.md").read_text(encoding="utf-8")
        )
        answer = httpx.get(address + shown).json()
        assert answer["as_of"]["run"] and all(row["user_id"] == "SV001" for row in answer["rows"])
        assert httpx.get(f"{address}/views/course_overall_metrics").json()["total"] > 0
        ledger = httpx.get(f"{address}/freshness").json()["ledger"]
        landed = sum(entry["landed"] for partitions in ledger.values() for entry in partitions.values())
        assert landed >= 5000
    finally:
        server.terminate()
        server.wait(30)
