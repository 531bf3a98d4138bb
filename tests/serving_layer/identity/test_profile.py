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


SAMPLES = [
    ("MINIO_SECRET_KEY", "minioadmin"),
    ("MINIO_SECRET_KEY", "MinioAdmin"),
    ("MINIO_ACCESS_KEY", "minioadmin"),
    ("OIDC_CLIENT_SECRET", "changeme"),
]
GOOD = {"MINIO_ACCESS_KEY": "platform-1", "MINIO_SECRET_KEY": "7d0b6f1ad8"}


@pytest.mark.parametrize(("name", "secret"), SAMPLES)
def test_a_sample_s_secret_is_refused(name, secret):
    said = refused(SERVING_HOST="0.0.0.0", AUTHENTICATION="required", **{**GOOD, name: secret})
    assert f"{name}: must be no sample's" in said and secret not in said


def test_the_defaults_keys_are_refused(tmp_path):
    """Those of config/defaults.env, which stand for none that was set."""
    said = refused(SERVING_HOST="0.0.0.0", AUTHENTICATION="required", MINIO_ENDPOINT="http://127.0.0.1:1")
    assert "must be no sample's" in said


@pytest.mark.parametrize("profile", ["off", "open", "none"])
def test_there_is_no_profile_that_is_open_to_others(profile):
    said = refused(AUTHENTICATION=profile, SERVING_HOST="0.0.0.0")
    assert f"AUTHENTICATION: must be one of local, required; got '{profile}'" in said


def test_short_keys_are_refused():
    said = refused(PSEUDONYM_KEY="short and secret")
    assert "PSEUDONYM_KEY: must have at least 32 characters; got 16" in said and "short" not in said
    for own in ("la_operator_short", "x" * 60):
        said = refused(OPERATOR_KEY=own)
        assert "OPERATOR_KEY: must be la_operator_ and at least 32 characters" in said and own not in said


def test_cookies_go_over_https_beyond_this_machine():
    said = refused(PUBLIC_ADDRESS="http://api.example", AUTHENTICATION="required")
    assert "PUBLIC_ADDRESS: must start with https://" in said
