"""The demo as a newcomer runs it, who has the project's own samples of real data; `down` ends its layers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from deployment.local_layers import MODULES, LocalLayers
from deployment.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 400


def test_the_demo_answers_and_is_stopped(stack, tmp_path):
    names = ("MASTER_DATASET", "BATCH_VIEWS", "SPEED_VIEWS", "QUARANTINE")
    places = {name: f"s3a://bucket-0/demo/{name.lower()}" for name in names}
    environ = {**os.environ, **stack.environment, **places, "SERVING_PORT": str(free_port())}
    environ |= {"COLLECTOR_PORT": str(free_port()), "COLLECTOR_SOURCES": str(tmp_path / "sources")}
    environ["LEARNING_DATA"] = str(tmp_path / "none")
    options = ("--data", str(tmp_path))
    layers = LocalLayers(tmp_path)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "deployment.demo", *options],
            cwd=ROOT, env=environ, capture_output=True, text=True, timeout=LIMIT,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said = done.stdout
        assert f"query API: http://127.0.0.1:{environ['SERVING_PORT']}/views" in said
        assert re.search(r"video_course_metrics: [1-9]\d* rows", said)
        assert re.search(r"freshness: run \S+ covers [1-9]\d* offsets", said)
        landed, *parts = map(
            int, re.search(r"ledger: (\d+) landed = (\d+) counted \+ (\d+) .* \+ (\d+) inv", said).groups()
        )
        assert landed == sum(parts) > 5000
        assert float(re.search(r"an event sent now is in the answer after ([\d.]+) s", said)[1]) < LIMIT
        assert float(re.search(r"a statement sent by\ncurl .*\nis in the answer after ([\d.]+) s", said)[1]) < LIMIT
        assert httpx.get(f"{layers.address}/health/ready").status_code == 200
        pids = [layers.running(name) for name in MODULES]
        assert all(f"(process {pid})" in said for pid in pids)
    finally:
        down = [sys.executable, "-m", "deployment.local_stack", "down", *options]
        subprocess.run(down, cwd=ROOT, env=environ, check=True, timeout=LIMIT)
    assert not any(layers.running(name) for name in MODULES)
    assert not any(_lives(pid) for pid in pids)


def _lives(pid: int) -> bool:
    """Whether a process runs; one that has ended stays until its parent looks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
