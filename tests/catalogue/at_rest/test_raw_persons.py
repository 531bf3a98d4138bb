"""Whom lines of raw files and of the quarantine name, in every form that ingestion writes."""

from __future__ import annotations

import base64
import json

import pytest

from catalogue.at_rest.raw_persons import People, parted, rejected_bytes

EVENT = b'{"event_type":"LOGIN","user_id":"SV001","note":"'
PLACE = {"topic": "auth_topic", "partition": 0, "offset": 7, "kafka_timestamp": "2026-03-01T08:00:00.000Z"}


def rejected(value: bytes) -> bytes:
    """A line of the quarantine."""
    try:
        told = {"value": value.decode()}
    except UnicodeDecodeError:
        told = {"value": base64.b64encode(value).decode(), "value_encoding": "base64"}
    return json.dumps({**PLACE, "reason": "not_json", "detail": "", **told}).encode()


@pytest.mark.parametrize(
    "value",
    [EVENT, b"\xff" + EVENT + b'"}', EVENT.replace(b"SV001", b"SV\\u0030" + b"01") + b'"}'],
    ids=["cut short", "no UTF-8", "escaped"],
)
def test_what_was_rejected_names_people_in_every_form(value):
    line, other = rejected(value), rejected(value.replace(b"SV", b"TV"))
    people = People(["SV001"])
    assert people.may_be_in([line, b"{}"]) == [True, False]
    rest, theirs, account = parted(b"\n".join((line, other)), people, "auth_topic", kept=False)
    assert (rest, theirs, account.offsets) == (other, [line], {"0": [7, 7, 1]})


def test_base64_is_read_where_it_stands_for_an_event():
    assert rejected_bytes(rejected(b"\xff" + EVENT)) == b"\xff" + EVENT
    assert rejected_bytes(rejected(EVENT)) == rejected_bytes(b'{"x":"base64"}') == rejected_bytes(b'"base64"') == b""
