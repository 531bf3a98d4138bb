"""The daily run on a real Oozie against the plain command, in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from deployment.oozie.assembly import commands
from deployment.oozie.server import OozieServer
from tests.benchmarks.history import raw_history
from tests.benchmarks.process import measured

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
FACTOR, SECONDS = 1.5, 60


def run(events: int) -> None:
    """Print seconds of both, round by round, and what the target allows: 1.5 times the plain run and 60 s."""
    raw = str(raw_history(events))
    with tempfile.TemporaryDirectory() as folder:
        server = OozieServer(Path(folder) / "oozie")
        try:
            server.up()
            _rounds(raw, Path(folder), server, events)
        finally:
            server.down()


def _rounds(raw: str, folder: Path, server: OozieServer, events: int) -> None:
    environ = os.environ | {"OOZIE_URL": server.url, "PATH": f"{commands()}:{os.environ['PATH']}"}
    places = {"nameNode": server.name_node, "resourceManager": server.resource_manager, "input": raw}
    options = [f"-D{name}={value}" for name, value in places.items()]
    subprocess.run([str(ROOT / "batch_layer/deploy_oozie.sh"), "upload", *options], env=environ, check=True)
    print(f"\n## Oozie, {events:,} raw events\n\n| plain run, s | Oozie, s | allowed, s |\n|---|---|---|")
    ours = []
    for number in range(ROUNDS):
        plain, _ = measured(["batch_layer/run_batch_jobs.py", raw, f"{folder}/plain-{number}"])
        ours.append(_seconds([*options, f"-Doutput={folder}/oozie-{number}"], environ))
        print(f"| {plain:.1f} | {ours[-1]:.1f} | {FACTOR * plain + SECONDS:.1f} |", flush=True)
    print(f"\nmedian {statistics.median(ours):.1f} s")


def _seconds(options: list[str], environ: dict[str, str]) -> float:
    """From the submission to the workflow's end."""
    properties = str(ROOT / "batch_layer" / "oozie" / "job.properties")
    started = time.monotonic()
    said = subprocess.check_output(["oozie", "job", "-config", properties, *options, "-run"], env=environ, text=True)
    job = said.removeprefix("job: ").strip()
    while True:
        info = subprocess.check_output(["oozie", "job", "-info", job], env=environ, text=True)
        status = next(line.split()[-1] for line in info.splitlines() if line.startswith("Status"))
        if status not in ("PREP", "RUNNING"):
            break
        time.sleep(1)
    if status != "SUCCEEDED":
        raise RuntimeError(f"{job}: must succeed; got {status}\n{info}")
    return time.monotonic() - started
