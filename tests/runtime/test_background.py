"""A step is repeated until it is stopped, whatever it runs into."""

from __future__ import annotations

import threading

from runtime.background import Background
from runtime.logs import Log


def test_a_step_is_repeated_at_its_own_pace_until_stopped():
    done, enough = [], threading.Event()

    def step() -> float | None:
        done.append(threading.current_thread().name)
        if len(done) == 3:
            enough.set()
            return None  # the usual pause, far beyond this test
        return 0.0

    background = Background("steps", Log("test"), step, 3600)
    background.start()
    assert enough.wait(10)
    background.stop()
    assert not background.runs and background.problem is None
    assert done == ["steps"] * 3


def test_an_error_is_told_once_and_ends_nothing(capsys):
    seen, enough = [], threading.Event()

    def step() -> float | None:
        seen.append(background.problem)
        if len(seen) == 5:
            enough.set()
            return 3600
        if len(seen) < 4:
            raise OSError("the disk is away")
        return None

    background = Background("steps", Log("test"), step, 0)
    background.start()
    assert enough.wait(10)
    background.stop()
    assert seen == [None, *["OSError: the disk is away"] * 3, None]
    assert capsys.readouterr().err.count("the disk is away") == 1


def test_a_step_may_stop_its_own_thread():
    background = Background("steps", Log("test"), lambda: background.stop(), 0)
    background.start()
    background._thread.join(10)
    assert not background.runs


def test_after_an_error_it_waits_as_long_as_it_is_told():
    seen: list[str | None] = []
    enough = threading.Event()

    def step() -> None:
        seen.append(background.problem)
        if len(seen) == 1:
            raise OSError("the disk is away")
        enough.set()

    background = Background("steps", Log("test"), step, 3600, 0)
    background.start()
    assert enough.wait(10)
    background.stop()
    assert seen == [None, "OSError: the disk is away"]
