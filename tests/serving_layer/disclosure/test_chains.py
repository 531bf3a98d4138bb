"""The log of disclosures at rest: whole it is verified, and whatever is changed in it is found."""

from __future__ import annotations

import json
import random

import pytest
from starlette.requests import Request

from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError, Store
from serving_layer.disclosure import recorder as module
from serving_layer.disclosure.chains import (
    chains,
    decoded,
    drop_before,
    encoded,
    forget,
    path_of,
    shown_of,
    verify,
)
from serving_layer.disclosure.recorder import Recorder
from serving_layer.errors import NotServing
from serving_layer.identity.viewer import Viewer

ASKED = Request({"type": "http", "headers": [(b"x-purpose", b"advice " + b"x" * 300)]})
COVERS = {"run": "r1", "head": {"0": 7}}
LECTURER = Viewer("lecturer", "GV001", credential="key 1")


def recorder(folder, **settings: str) -> Recorder:
    own = {"AUTHENTICATION": "required", "DISCLOSURE_LOG": str(folder), **settings}
    return Recorder(Settings.load(own))


@pytest.fixture
def store(tmp_path) -> Store:
    """A log of two processes, of three and two files, with records of SV001 in each."""
    for count in (2, 1):
        process = recorder(tmp_path)
        process.write()
        for number in range(count):
            process.note(LECTURER, "view", ("SV001", f"SV{number}00", None, "SV001"), COVERS, ASKED)
            process.note(Viewer("student", "SV001"), "view", ("SV001",), COVERS, ASKED)
            process.write()
    return open_store(str(tmp_path))


def test_a_whole_log_is_verified(store):
    faults, last, records = verify(store)
    assert (faults, records, len(last)) == ([], 6, 2)
    assert sorted(end["number"] for end in last.values()) == [1, 2]


def test_a_record_says_who_was_shown_what(store):
    found = shown_of(store, "SV001")
    assert len(found) == 6 and len(shown_of(store, "SV100")) == 1 and shown_of(store, "SV999") == []
    first = found[0]
    assert (first["who"], first["role"], first["by"], first["view"]) == ("GV001", "lecturer", "key 1", "view")
    assert (first["run"], first["head"], len(first["purpose"])) == ("r1", {"0": 7}, 200)
    assert "persons" not in first, "who else was shown is nobody's business but theirs"


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_changed_is_found(store, seed):
    """A record changed, taken out or added, a file taken out, exchanged or cut off the end of the older chain."""
    rng = random.Random(seed)
    (older, numbers), _ = sorted(chains(store).items(), key=lambda item: -len(item[1]))
    number = rng.choice(numbers)
    place = path_of(older, number)
    head, *lines = decoded(store.read(place))
    match rng.choice(("change", "remove", "add", "file", "swap", "head")):
        case "change" if lines:
            lines[0]["who"] = "f" * 16
            store.write(place, encoded([head, *lines]))
        case "remove" if lines:
            store.write(place, encoded([head, *lines[1:]]))
        case "add":
            store.write(place, encoded([head, *lines, {"time": "2026-01-01T00:00:00Z"}]))
        case "swap":
            store.write(place, store.read(path_of(older, (number + 1) % 3)))
        case "head":
            store.write(place, encoded([head | {"previous": "0" * 64, "time": "x"}, *lines]))
        case _:
            store.delete([place])
    assert verify(store)[0], place


@pytest.mark.parametrize("damage", [b"", b"{}", b"\x1f\x8b", encoded([])])
def test_what_is_no_file_is_told(store, damage):
    chain = next(iter(chains(store)))
    store.write(path_of(chain, 0), damage)
    assert any(fault.place == path_of(chain, 0) for fault in verify(store)[0])


def test_somebody_who_is_forgotten_is_named_nowhere_and_the_chain_holds(store, tmp_path):
    assert forget(store, {"SV001"}) == 2 and forget(store, {"SV001"}) == 0
    assert verify(store)[0] == [] and shown_of(store, "SV001") == []
    for entry in store.list():
        assert "SV001" not in json.dumps(decoded(store.read(entry.path))), entry.path
    assert [line["who"] for line in shown_of(store, "SV100")] == ["GV001"]
    forget(store, {"GV001"})
    assert [line["who"] for line in shown_of(store, "SV100")] == ["somebody who was erased"]


def test_retention_takes_what_is_old_and_the_rest_is_verified(store):
    everything = [entry.path for entry in store.list()]
    assert drop_before(store, "2000-01-01T00:00:00Z") == []
    some = sorted(line["time"] for line in shown_of(store, "SV001"))[1]
    would = drop_before(store, some, dry_run=True)
    assert [entry.path for entry in store.list()] == everything
    assert drop_before(store, some) == would and verify(store)[0] == []
    left = chains(store)
    older = next(chain for chain in left if left[chain][0] > 0) if any(n[0] for n in left.values()) else None
    if older:
        store.delete([path_of(older, left[older][0])])
        assert verify(store)[0], "what is taken beyond that is found"
    assert drop_before(store, "2999-01-01T00:00:00Z") and verify(store)[0] == []
    assert chains(store) == {} and shown_of(store, "SV001") == []


def test_answers_stop_where_the_log_can_t_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    process = recorder(tmp_path / "file")
    other = recorder(tmp_path / "file", DISCLOSURE_STOPS="no")
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    for one in (process, other):
        one.check()
        one.note(LECTURER, "view", ("SV001",), COVERS, ASKED)
        with pytest.raises((OSError, StorageError)):
            one.write()
        one.check()
    now[0] = module.PATIENCE_SECONDS + 1
    with pytest.raises(NotServing, match="DISCLOSURE_LOG"):
        process.check()
    other.check()
    (tmp_path / "file").unlink()
    process.write()
    process.check()
    assert len(shown_of(open_store(str(tmp_path / "file")), "SV001")) == 1, "what waited is written"


def test_a_write_that_seemed_to_fail_is_no_second_record(tmp_path, monkeypatch):
    process = recorder(tmp_path)
    create = process.store.create

    def lost(path: str, data: bytes) -> None:
        create(path, data)
        monkeypatch.setattr(process.store, "create", create)
        raise StorageError("the answer got lost")

    process.note(LECTURER, "view", ("SV001",), COVERS, ASKED)
    monkeypatch.setattr(process.store, "create", lost)
    with pytest.raises(StorageError):
        process.write()
    process.note(LECTURER, "view", ("SV002",), COVERS, ASKED)
    process.write()
    process.write()
    store = open_store(str(tmp_path))
    assert verify(store)[0] == [] and len(shown_of(store, "SV001")) == len(shown_of(store, "SV002")) == 1


def test_nobody_is_noted_where_nobody_logs_in(tmp_path):
    process = recorder(tmp_path, AUTHENTICATION="local")
    process.note(LECTURER, "view", ("SV001",), COVERS, ASKED)
    process.start()
    process.stop()
    assert open_store(str(tmp_path)).list() == []
