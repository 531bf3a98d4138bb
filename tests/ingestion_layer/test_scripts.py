"""Scripts are judged against the catalogue when they are imported: every fault at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion_layer.scripts import ALWAYS, INSTEAD, SUPPLIED
from ingestion_layer.scripts.script import ScriptError, judge

ROOT = Path(__file__).resolve().parents[2]


def test_ours_are_right():
    judge(SUPPLIED, {"ALWAYS": ALWAYS, "INSTEAD": (*INSTEAD, *INSTEAD.values())})


def test_every_fault_is_told_with_what_is_nearest():
    supplied = {
        "LOGIN": frozenset({"role", "sesion_id"}),
        "VIDEO_WACHED": frozenset({"video_id"}),
        "COURSE_VIEW": frozenset({"course", "user_id"}),
    }
    with pytest.raises(ScriptError) as told:
        judge(supplied, {"INSTEAD": ("LOGOUT", "LOG_OUT")})
    assert str(told.value).splitlines() == [
        "script 'LOGIN': supplied field must be one of the type's; got 'sesion_id', nearest is 'session_id'",
        "script 'VIDEO_WACHED': must be of an event type of the catalogue; got 'VIDEO_WACHED', "
        "nearest is 'VIDEO_WATCHED'",
        "script 'COURSE_VIEW': supplied field must be one of the type's; got 'course', nearest is 'course_id'",
        "scripts' INSTEAD: must name event types of the catalogue; got 'LOG_OUT', nearest is 'LOGOUT'",
    ]


def test_the_producer_says_it_in_one_line_each_and_makes_nothing(tmp_path):
    for package in ("ingestion_layer", "catalogue", "runtime", "config"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    scripts = tmp_path / "ingestion_layer" / "scripts" / "courses.py"
    wrong = (
        '@script("COURSE_VIEWED", "course")\n@script("COURSE_VIEW", "course")\n'
        "def _wrong(world, now):\n    return None\n"
    )
    scripts.write_text(scripts.read_text(encoding="utf-8") + wrong, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "ingestion_layer" / "producer.py"), "--events", "5", "--output", "out"],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    assert done.stderr.splitlines() == [
        "producer: script 'COURSE_VIEW': must be registered once; got _wrong after another",
        "producer: script 'COURSE_VIEW': supplied field must be one of the type's; got 'course', "
        "nearest is 'course_id'",
        "producer: script 'COURSE_VIEWED': must be of an event type of the catalogue; got 'COURSE_VIEWED', "
        "nearest is 'COURSE_VIEW'",
    ]
