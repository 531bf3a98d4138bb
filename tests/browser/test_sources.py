"""The dashboard's sources: types, style and unit tests, as `python -m deployment.dashboard` judges them."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("judged", ["check", "test"])
def test_the_sources_are_sound(judged):
    command = [sys.executable, "-m", "deployment.dashboard", judged]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
