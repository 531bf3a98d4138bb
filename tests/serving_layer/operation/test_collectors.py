"""What a real collector answered is told by source, and its account closes; who is away is told as away."""

from __future__ import annotations

import time
from inspect import signature

import httpx
import pytest

from deployment.ports import free_port
from ingestion_layer.collecting.accounts import Accounts
from ingestion_layer.collecting.sources import Source, add_source
from runtime.settings import Settings, SettingsError
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError
from serving_layer.operation.collectors import FATES, Collectors
from serving_layer.operation.pages import operator_pages
from tests.ingestion_layer.collecting.conftest import LIMIT, Collector


def told_by(place: str, *addresses: str) -> dict:
    return Collectors(Settings.load({"COLLECTOR_SOURCES": place, "COLLECTOR_ADDRESSES": ", ".join(addresses)})).told()


def test_a_collector_s_account_is_told_by_source(tmp_path):
    """Without Kafka nothing is accepted: what came in is deferred or rejected, and nothing is lost of it."""
    place = str(tmp_path / "sources")
    key = add_source(open_store(place), Source("moodle", "events", course="C"))
    collector = Collector(tmp_path, {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"})
    try:
        deadline = time.monotonic() + LIMIT
        sent = {"Authorization": f"Bearer {key}"}
        while True:
            try:
                answer = collector.client.post("/events", json={"event_type": "NONE"}, headers=sent)
                if answer.status_code != 401:  # it has read the sources
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline
            time.sleep(0.1)
        away = f"http://127.0.0.1:{free_port()}"
        told = told_by(place, collector.address, away)
        assert told["collectors"] == [
            {"address": collector.address, "answers": True},
            {"address": away, "answers": False},
        ]
        (moodle,) = [one for one in told["sources"] if one["name"] == "moodle"]
        assert (moodle["standard"], moodle["declared"], moodle["course"]) == ("events", True, "C")
        assert moodle["received"] == sum(moodle[fate] for fate in FATES[1:]) > 0
        twice = told_by(place, collector.address, f"{collector.address}/")
        (doubled,) = [one for one in twice["sources"] if one["name"] == "moodle"]
        assert doubled["received"] == 2 * moodle["received"]
    finally:
        collector.stop()


def test_every_fate_that_a_collector_counts_is_told():
    counted = [name for name, one in signature(Accounts.settle).parameters.items() if one.kind is one.KEYWORD_ONLY]
    assert list(FATES) == ["received", *counted]


def test_without_a_collector_the_sources_are_told_and_no_key(tmp_path):
    place = str(tmp_path / "sources")
    assert told_by(place) == {"sources": [], "collectors": []}
    add_source(open_store(place), Source("canvas", "canvas"))
    (source,) = told_by(place)["sources"]
    assert source["declared"] and [source[fate] for fate in FATES] == [None] * len(FATES) and "digest" not in source
    open_store(place).write("sources.json", b"{")
    with pytest.raises(StorageError, match="must be whole"):
        told_by(place)


def test_settings_that_name_no_address_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="COLLECTOR_ADDRESSES"):
        told_by(str(tmp_path), "collector:8010")
    for wrong in ("Grafana", "=https://x", "Grafana=javascript:alert(1)"):
        with pytest.raises(SettingsError, match="OPERATOR_PAGES"):
            operator_pages(Settings.load({"OPERATOR_PAGES": wrong}))
    named = operator_pages(Settings.load({"OPERATOR_PAGES": "Grafana=https://g/?a=b, Spark=http://s:8080,"}))
    assert named == [{"name": "Grafana", "address": "https://g/?a=b"}, {"name": "Spark", "address": "http://s:8080"}]
    assert operator_pages(Settings.load({})) == []
