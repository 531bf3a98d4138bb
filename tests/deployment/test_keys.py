"""Keys are random, made once, and read by their owner alone."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from deployment.keys import EVERY, GRAFANA, LOCAL, keep_apart, keep_together
from runtime.settings import LOCAL_KEYS, Settings

SCRIPT = Path(__file__).resolve().parents[2] / "deployment" / "keys.py"


def test_keys_of_the_local_stack_are_made_once(tmp_path):
    file = tmp_path / "new" / LOCAL_KEYS.name
    keys = keep_together(file, {})
    assert keys.keys() == {*LOCAL, "API_KEY"} and keys["API_KEY"] == keys["OPERATOR_KEY"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and keep_together(file, {}) == keys
    other = keep_together(tmp_path / "other.env", {})
    assert not set(keys.values()) & set(other.values())
    settings = Settings.load(keys)
    assert settings.operator_key == keys["OPERATOR_KEY"] and settings.minio_secret_key == keys["MINIO_SECRET_KEY"]


def test_keys_of_compose_are_files_and_are_told_to_nobody(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=True, timeout=60)
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept.keys() == EVERY.keys() and not [v for v in kept.values() if v in done.stdout + done.stderr]
    for name in kept:
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == (0o444 if name == GRAFANA else 0o400)
    (tmp_path / "PSEUDONYM_KEY").unlink()
    keep_apart(tmp_path, {})
    again = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert {name for name in again if again[name] != kept[name]} == {"PSEUDONYM_KEY"}
    assert Settings.load({f"{n}_FILE": str(tmp_path / n) for n in LOCAL}).pseudonym_key == again["PSEUDONYM_KEY"]


def test_a_key_that_the_environment_names_is_taken(tmp_path):
    keep_apart(tmp_path, {"MINIO_SECRET_KEY": "own", "MINIO_ACCESS_KEY": ""})
    assert (tmp_path / "MINIO_SECRET_KEY").read_text() == "own"
    assert (tmp_path / "MINIO_ACCESS_KEY").read_text().startswith("platform-")
