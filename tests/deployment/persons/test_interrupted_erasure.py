"""An erasure that was stopped or killed goes on where it was, and leaves whole files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable

import pytest

from deployment.persons.remains import remains
from runtime.storage.local import LocalStore
from tests.deployment.persons.keeping import Kept, check_all, names
from tests.laws.test_merged import opened
from tests.oracle.histories import landed


class Killed(BaseException):
    """What ends a process at once; nothing catches it."""


STEPS = [
    ("swap", "_erasures/tombstones"), ("write", "_erasures/journal"), ("swap", "topic="), ("swap", "topic="),
    ("upload", "_state/"), ("write", "_runs/"), ("swap", "_current.json"), ("delete", "_runs/"),
    ("delete", "_deltas/"), ("swap", "roster.json"), ("write", "_erasures/certificates/"),
]  # fmt: skip


def kill_after(patch: pytest.MonkeyPatch, name: str, prefix: str, kill) -> None:
    """Let the store's operation `name` on a path kill whoever did it, once it is done."""
    does = getattr(LocalStore, name)

    def killing(self: LocalStore, *arguments: object, **options: object) -> None:
        if name == "delete":
            assert isinstance(arguments[0], Iterable)
            arguments = (list(arguments[0]),)
        does(self, *arguments, **options)
        paths = arguments[0] if name == "delete" else [arguments[1 if name == "upload" else 0]]
        if any(str(path).startswith(prefix) for path in paths):  # type: ignore[attr-defined]
            kill()

    patch.setattr(LocalStore, name, killing)


def test_it_goes_on_wherever_it_was_stopped(platform: Kept):
    def kill() -> None:
        raise Killed

    for name, prefix in STEPS:
        with pytest.MonkeyPatch.context() as patch:
            kill_after(patch, name, prefix, kill)
            with pytest.raises(Killed):
                platform.erase("SV001")
    certificates = [e.path for e in platform.places.raw.list("_erasures/certificates/")]
    assert len(certificates) == 1, "the last kill came after it"
    certificate = platform.erase("SV001")
    platform.gone = {"SV001"}
    assert [certificate.certificate] == certificates, "the same erasure"
    assert platform.places.raw.list("_erasures/journal") == []
    assert certificate.events == sum(names(r, {"SV001"}) for r in landed(platform.records) if platform.has_landed(r))
    assert (certificate.roster_entries, certificate.keys_revoked) == (1, 1)
    assert remains(platform.places, ["SV001"])[0] == {}
    platform.speed = platform.new_speed()
    state = opened(platform)
    try:
        check_all(platform, state)
    finally:
        state.stop()


CHILD = """
import os, signal, sys
import pytest
from deployment.persons.erasure import erase
from deployment.persons.places import Places
from runtime.settings import Settings
from tests.deployment.persons.test_interrupted_erasure import kill_after
kill_after(pytest.MonkeyPatch(), "swap", "topic=", lambda: os.kill(os.getpid(), signal.SIGKILL))
erase(Places.of(Settings.load()), ["SV001"], lambda _: {})
"""


def test_a_killed_process_leaves_whole_files(platform: Kept):
    names_of = {
        "master_dataset",
        "quarantine",
        "batch_views",
        "speed_views",
        "identity",
        "disclosure_log",
        "collector_sources",
        "erasure_key",
    }
    environ = {name.upper(): str(getattr(platform.settings, name)) for name in names_of}
    for _ in range(2):
        ended = subprocess.run([sys.executable, "-c", CHILD], env={**os.environ, **environ}, check=False, timeout=300)
        assert ended.returncode == -signal.SIGKILL
    platform.erase("SV001")
    assert remains(platform.places, ["SV001"])[0] == {}
