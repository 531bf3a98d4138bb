"""What people type first."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_make_names_the_virtual_environment():
    done = subprocess.run(["make", "-s", "venv"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == Path(sys.prefix)
