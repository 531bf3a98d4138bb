"""The batch layer's QUICKSTART, command by command, as it stands there, on a real stack."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "batch_layer" / "QUICKSTART.md"
LIMIT = 600


def test_the_commands_lead_to_views(stack, tmp_path):
    names = ("MASTER_DATASET", "SPEED_VIEWS", "QUARANTINE")
    places = {name: f"s3a://bucket-0/quickstart/{name.lower()}" for name in names}
    environ = {**os.environ, **stack.environment, **places, "PYTHONPATH": str(ROOT)}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started, *commands = re.findall(r"^    (\S.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert started.startswith("make up"), "the stack of this test stands in its place"
    said = []
    for command in commands:
        written = command.replace("s3a://bucket-0/master_dataset", places["MASTER_DATASET"])
        written = re.sub(r"python (\w+/)", rf"python {ROOT}/\1", written)
        done = subprocess.run(
            written, shell=True, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=LIMIT
        )
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
        said.append(done.stdout)
    assert len(said) == 9 and "published run" in said[2] and "video_id" in said[3] and "publishes" in said[4]
    assert "on top of run" in said[7], "the second run reads only what is new"
    assert [line.endswith(", published") for line in said[8].splitlines()] == [False, True]
    manifest = json.loads((tmp_path / "views" / "_current.json").read_bytes())
    assert sum(e["landed"] for entries in manifest["ledger"].values() for e in entries.values()) >= 6000
