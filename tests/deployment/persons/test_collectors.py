"""An erasure waits until every collector has let go of the erased, and says which one hasn't."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.at_rest.collectors import CollectorSign, read_collectors
from catalogue.at_rest.erasures import ErasureError
from deployment.persons import collectors
from deployment.persons.collectors import followed_by_collectors
from runtime.settings import Settings
from runtime.storage.local import LocalStore
from runtime.timestamps import now
from tests.deployment.persons.keeping import Kept


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load({"COLLECTOR_SOURCES": str(tmp_path)})


def sign(folder: str, erased: str = "", at: str = "") -> CollectorSign:
    return CollectorSign(at=at or now(), host="here", folder=folder, erased=erased)


def told(settings: Settings, *signs: CollectorSign) -> None:
    store = LocalStore(Path(settings.collector_sources))
    for one in signs:
        store.write(one.path, one.encoded())


def test_without_collectors_nobody_is_waited_for(settings):
    assert followed_by_collectors(settings, "3-abc") == []


def test_collectors_are_known_by_host_and_folder(settings):
    told(settings, sign("/a", "3-abc"), sign("/b", "4-abd"), sign("/a", "3-abc"))
    assert len(read_collectors(LocalStore(Path(settings.collector_sources)))) == 2
    assert followed_by_collectors(settings, "3-abc") == ["here:/a", "here:/b"]


def test_who_follows_late_is_waited_for(settings):
    told(settings, sign("/a", "2-abb"), sign("/b", "3-abc"))
    later = threading.Timer(0.3, told, (settings, sign("/a", "3-abc")))
    later.start()
    assert followed_by_collectors(settings, "3-abc") == ["here:/a", "here:/b"]
    later.join()


def test_who_is_gone_is_named(settings):
    gone = sign("/a", "2-abb", "2026-03-02T08:00:00.000Z")
    told(settings, gone)
    with pytest.raises(ErasureError, match=f"collector of /a on here: must run to let go .*'{gone.path}'"):
        followed_by_collectors(settings, "3-abc")
    told(settings, replace(gone, erased="3-abc"))
    assert followed_by_collectors(settings, "3-abc") == ["here:/a"], "it has let go of them before it ended"


def test_who_never_follows_is_named(settings, monkeypatch):
    monkeypatch.setattr(collectors, "FOLLOW_SECONDS", 0.2)
    told(settings, sign("/a", "2-abb"))
    with pytest.raises(ErasureError, match="collector of /a on here: must let go of the erased within"):
        followed_by_collectors(settings, "3-abc")


def test_a_certificate_names_collectors_that_keep_nothing(platform: Kept):
    told(platform.settings, sign("/a", "99-abc"))
    assert platform.erase("SV001").collectors == ["here:/a"]
