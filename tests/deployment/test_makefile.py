"""What people type first."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_make_names_the_virtual_environment():
    done = subprocess.run(["make", "-s", "venv"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == Path(sys.prefix)


def test_a_younger_checkout_finds_the_environment_ready():
    """Git writes files with the time of the checkout: what counts is what the lock file says."""
    os.utime(ROOT / "config" / "requirements-dev.txt")
    done = subprocess.run(["make", "-n", "venv"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install" not in done.stdout
