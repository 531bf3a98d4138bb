"""A speed layer's sign of life: read back, judged by its age, refused where it is damaged."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from catalogue.at_rest.alive import ALIVE, ALIVE_SECONDS, GONE_SECONDS, Alive, read_alive
from catalogue.at_rest.manifest import Damaged
from runtime.storage.opening import open_store
from runtime.timestamps import written

SIGN = {"at": "2026-03-01T08:00:00.000Z", "head": {"auth_topic": {"0": 3}}, "kafka": {"auth_topic": {"0": 4}}}


def test_a_sign_is_read_as_it_was_told(tmp_path):
    store = open_store(str(tmp_path))
    assert read_alive(store) is None
    told = Alive(at=SIGN["at"], head=SIGN["head"], kafka=SIGN["kafka"])
    store.write(ALIVE, told.encoded())
    assert read_alive(store) == told and json.loads(told.encoded()) == SIGN | {"schema_version": 1}


def test_a_speed_layer_is_gone_after_several_signs_that_did_not_come():
    at = datetime.now(UTC) - timedelta(seconds=GONE_SECONDS)
    assert Alive(at=written(at)).gone
    assert not Alive(at=written(at + timedelta(seconds=5))).gone
    assert GONE_SECONDS > 3 * ALIVE_SECONDS


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ({"at": "yesterday"}, "field at must be a time with its zone; got 'yesterday'"),
        ({"at": "2026-03-01T08:00:00"}, "field at must be a time with its zone; got '2026-03-01T08:00:00'"),
        ({"kafka": {"auth_topic": {"0": "4"}}}, 'field kafka.auth_topic.0 must be a whole number; got "4"'),
        ({"head": None}, "field head must be a JSON object; got null"),
        ({"schema_version": 2}, "schema_version must be at most 1; got 2"),
    ],
)
def test_a_damaged_sign_names_the_object_and_the_field(tmp_path, damage, told):
    store = open_store(str(tmp_path))
    store.write(ALIVE, json.dumps(SIGN | damage).encode())
    with pytest.raises(Damaged) as refused:
        read_alive(store)
    assert str(refused.value) == f"storage {tmp_path}: _alive.json: {told}"
