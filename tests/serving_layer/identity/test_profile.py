"""A server that would be open to others doesn't start, and says why in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).resolve().parents[3] / "serving_layer" / "serving_layer.py"


def refused(**settings: str) -> str:
    """What the server says as it refuses to start."""
    done = subprocess.run(
        [sys.executable, COMMAND], env={**os.environ, **settings}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "api.example"])
def test_local_means_this_machine(host):
    assert "AUTHENTICATION: must be 'required'" in refused(SERVING_HOST=host)


@pytest.mark.parametrize("secret", ["minioadmin", "MinioAdmin"])
def test_a_sample_s_secret_is_refused(secret):
    said = refused(SERVING_HOST="0.0.0.0", AUTHENTICATION="required", MINIO_SECRET_KEY=secret)
    assert "MINIO_SECRET_KEY: must be no sample's" in said and secret not in said


def test_unknown_profiles_and_short_keys_are_refused():
    assert "AUTHENTICATION: must be one of local, open, required; got 'off'" in refused(AUTHENTICATION="off")
    said = refused(PSEUDONYM_KEY="short and secret")
    assert "PSEUDONYM_KEY: must have at least 32 characters; got 16" in said and "short" not in said
