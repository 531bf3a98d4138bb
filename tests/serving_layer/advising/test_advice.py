"""Advisers' events are appended, each once, by many at a time, and leave with whom they name."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.storage.opening import open_store
from runtime.storage.store import StorageError, Store
from serving_layer.advising.advice import FOLDER, KINDS, Advice, Advices, advice, forget, path_of

STRANGE = ("SV001", "a/b ☃\n\0", "../roster.json", "x" * 128)


@pytest.fixture
def store(tmp_path) -> Store:
    return open_store(str(tmp_path / "identity"))


def told(number: int, student: str = "SV001", by: str = "AD001", text: str = "") -> Advice:
    at = f"2026-03-{1 + number:02}T08:00:00.000Z"
    return advice(student, by, KINDS[number % len(KINDS)], text, f"event-{number:04}", at)


def test_what_is_written_is_read_by_every_replica(store):
    here, there = Advices(store), Advices(store)
    written = [here.add(told(number, STRANGE[number % len(STRANGE)], text=f"“{number}”\n☃")) for number in range(12)]
    assert there.of() == written[::-1] == here.of()
    for student in STRANGE:
        assert there.of([student]) == [one for one in written[::-1] if one.student == student]
    assert there.of([]) == [] == there.of(["SV999"])
    assert {entry.path for entry in store.list()} == {path_of(student) for student in STRANGE}
    assert all(entry.path.startswith(FOLDER) and entry.path.count("/") == 1 for entry in store.list())
    written.append(here.add(told(12)))
    assert there.of(["SV001"])[0] == written[-1]


def test_an_event_that_is_sent_again_counts_once(store):
    advices = Advices(store)
    first = advices.add(told(1, text="as it was"))
    assert advices.add(told(1, text="otherwise")) == first and advices.of() == [first]


def test_many_at_a_time_lose_nothing(store):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: Advices(store).add(told(number)), range(16)))
    assert {one.id for one in Advices(store).of(["SV001"])} == {told(number).id for number in range(16)}


def test_lines_that_are_there_are_never_changed(store):
    advices = Advices(store)
    held = b""
    for number in range(4):
        advices.add(told(number))
        data = store.read(path_of("SV001"))
        assert data.startswith(held) and len(data) > len(held)
        held = data


def test_who_is_erased_leaves_and_others_stay(store):
    advices = Advices(store)
    about = advices.add(told(0, "SV001", text="with SV002"))
    other = advices.add(told(1, "SV002", text="wrote to SV001, not SV0011, and (SV001)."))
    by = advices.add(told(2, "SV002", by="SV001"))
    apart = advices.add(told(3, "SV003", text="nothing"))
    assert forget(store, []) == 0 and len(advices.of()) == 4
    assert forget(store, ["SV001"]) == 3
    left = {one.id: one for one in advices.of()}
    assert about.id not in left and by.id not in left and left[apart.id] == apart
    assert left[other.id].text == "wrote to …, not SV0011, and (…)."
    assert store.etag(path_of("SV001")) is None and forget(store, ["SV001"]) == 0
    assert not any(re.search(rb"SV001(?!\w)", store.read(entry.path)) for entry in store.list())


@pytest.mark.parametrize("data", [b"{", b"[]\n", json.dumps({"id": "x"}).encode()])
def test_a_damaged_object_is_told(store, data):
    store.write(path_of("SV001"), data)
    for ask in (Advices(store).of, lambda: Advices(store).add(told(0))):
        with pytest.raises(StorageError, match="must be advisers' events"):
            ask()
