"""Thresholds are each adviser's own, every one that was chosen stays on record, and they leave with whose they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.storage.opening import open_store
from runtime.storage.store import StorageError, Store
from serving_layer.advising.lines import place_of
from serving_layer.advising.thresholds import DEFAULTS, FOLDER, choose, forget, history_of, thresholds_of

STRANGE = ("AD001", "a/b ☃\n\0", "../roster.json", "x" * 128)


@pytest.fixture
def store(tmp_path) -> Store:
    return open_store(str(tmp_path / "identity"))


def test_who_never_chose_has_the_defaults(store):
    assert thresholds_of(store, "AD001").thresholds == DEFAULTS and not thresholds_of(store, "AD001").at
    assert history_of(store, "AD001") == [] == store.list()


def test_what_is_chosen_is_kept_for_each(store):
    for number, person in enumerate(STRANGE):
        choose(store, person, {"quiet": number})
        choose(store, person, {"grade": 10 + number})
    for number, person in enumerate(STRANGE):
        assert thresholds_of(store, person).thresholds == {**DEFAULTS, "quiet": number, "grade": 10 + number}
    assert all(entry.path.startswith(FOLDER) and entry.path.count("/") == 1 for entry in store.list())


def test_every_choice_stays_on_record_and_none_is_written_twice(store):
    for days in (3, 3, 9):
        choose(store, "AD001", {"quiet": days}, at=f"2026-03-0{days}T00:00:00Z")
    told = [(line.at[:10], line.by, line.thresholds["quiet"]) for line in history_of(store, "AD001")]
    assert told == [("2026-03-03", "AD001", 3), ("2026-03-09", "AD001", 9)]


def test_many_at_a_time_lose_nothing(store):
    names = list(DEFAULTS)
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: choose(store, "AD001", {name: 1}), names))
    assert thresholds_of(store, "AD001").thresholds == dict.fromkeys(names, 1)


def test_a_threshold_that_came_later_has_its_default(store):
    store.write(
        place_of(FOLDER, "AD001"), b'{"at": "2026-03-01T00:00:00Z", "by": "AD001", "thresholds": {"quiet": 2}}\n'
    )
    assert thresholds_of(store, "AD001").thresholds == {**DEFAULTS, "quiet": 2}


def test_who_is_erased_leaves_and_others_stay(store):
    for person in (*STRANGE, "token AD001", "token AD0011"):
        choose(store, person, {"quiet": 1})
    forget(store, [STRANGE[0], "nobody"])
    assert [len(history_of(store, person)) for person in STRANGE] == [0, 1, 1, 1]
    assert [len(history_of(store, f"token {person}")) for person in ("AD001", "AD0011")] == [0, 1]


@pytest.mark.parametrize("data", [b"{", b"[]\n", b'{"at": "x"}'])
def test_a_damaged_object_is_told(store, data):
    store.write(place_of(FOLDER, "AD001"), data)
    for ask in (lambda: thresholds_of(store, "AD001"), lambda: choose(store, "AD001", {"quiet": 1})):
        with pytest.raises(StorageError, match="must be thresholds"):
            ask()
