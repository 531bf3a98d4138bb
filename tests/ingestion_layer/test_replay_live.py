"""What comes one by one becomes what it becomes from a file."""

import json

import pytest

from ingestion_layer.replay import Replay
from ingestion_layer.replay.live import Live
from ingestion_layer.replay.row import Unmapped
from tests.ingestion_layer.replay_cuts import SAMPLES

LOGS = {"xapi": "xapi/statements.jsonl", "edx": "edx/tracking.log", "caliper": "caliper/events.jsonl"}
TIMES = {"xapi": "timestamp", "edx": "time", "caliper": "eventTime"}


@pytest.mark.parametrize("form", LOGS)
def test_live_events_are_those_of_files(form):
    path = SAMPLES / LOGS[form]
    documents = [json.loads(line) for line in path.read_bytes().splitlines() if line.startswith(b"{")]
    documents.sort(key=lambda document: str(document.get(TIMES[form]) or document.get("timestamp")))
    live, sent = Live(form), []
    for document in documents:
        try:
            sent += live.events(document)
        except Unmapped as reason:
            assert str(reason)
    by_file = list(Replay([path], form))
    told = [{k: v for k, v in json.loads(value).items() if k != "role"} for _, _, value in sent]
    expected = [{k: v for k, v in json.loads(value).items() if k != "role"} for _, _, value in by_file]
    assert len(told) > 20 and sorted(map(str, told)) == sorted(map(str, expected))


def test_an_envelope_is_unpacked_and_tables_are_no_documents():
    envelope = json.loads((SAMPLES / "caliper" / "envelope.json").read_bytes())
    assert Live("caliper").unpacked(envelope) == envelope["data"]
    with pytest.raises(ValueError, match="live: format must be one of JSON documents; got oulad"):
        Live("oulad")
    with pytest.raises(Unmapped, match="no event with an eventTime"):
        Live("caliper").events({})
