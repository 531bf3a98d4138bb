"""What comes one by one becomes what it becomes from a file."""

import json
from pathlib import Path

import pytest

from ingestion_layer.replay import Replay
from ingestion_layer.replay.live import Live
from ingestion_layer.replay.row import Options, Unmapped
from tests.ingestion_layer.replay_cuts import SAMPLES

LOGS = {"xapi": "xapi/statements.jsonl", "edx": "edx/tracking.log", "caliper": "caliper/events.jsonl"}
# Those whose systems also write such files.
SENDERS = sorted((Path(__file__).parent / "collecting" / "senders").glob("[mo]*.json"))
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


@pytest.mark.parametrize("recorded", SENDERS, ids=lambda path: path.stem)
def test_what_senders_send_is_the_same_from_a_file(recorded, tmp_path):
    told = json.loads(recorded.read_bytes())
    form, options = told["source"]["standard"], Options(role=told["source"].get("role"))
    live, sent, documents = Live(form, options), {}, []
    for request in told["requests"]:
        if request["answer"]["status"] >= 300:
            continue
        body = request.get("json") or json.loads(request.get("text") or "[]")
        documents += [one for part in (body if isinstance(body, list) else [body]) for one in live.unpacked(part)]
    documents = [one for one in documents if TIMES[form] in one]
    for document in documents:
        try:
            sent.update((json.loads(value)["event_id"], value) for _, _, value in live.events(document))
        except Unmapped as reason:
            assert str(reason)
    path = tmp_path / "sent.jsonl"
    path.write_text("\n".join(map(json.dumps, documents)))
    by_file = {json.loads(value)["event_id"]: value for _, _, value in Replay([path], form, options)}
    assert by_file == sent and len(sent) >= len({str(one) for one in told["events"]})


def test_an_envelope_is_unpacked_and_tables_are_no_documents():
    envelope = json.loads((SAMPLES / "caliper" / "envelope.json").read_bytes())
    assert Live("caliper").unpacked(envelope) == envelope["data"]
    with pytest.raises(ValueError, match="live: format must be one of JSON documents; got oulad"):
        Live("oulad")
    with pytest.raises(Unmapped, match="no event with an eventTime"):
        Live("caliper").events({})
