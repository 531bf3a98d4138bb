"""The collector's verdict on an event is ingestion's: what it takes is valid, what it refuses would be quarantined."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.sql.verdicts import inspect
from ingestion_layer.collecting.verdicts import fault, topic_of
from tests.oracle.histories import history


def repeats_a_name(text: bytes) -> bool:
    """Whether the event has a member twice: to ingestion the first counts, to the collector the last."""
    members = json.loads(text, object_pairs_hook=list)
    return len(dict(members)) != len(members)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_verdicts_are_those_of_ingestion(seed):
    con, compared, wrong = connect(), 0, 0
    records = history(seed, 1500)
    for topic in TOPICS:
        mine = [r for r in records if r.topic == topic]
        table = pa.table(
            {
                "partition": pa.array([0] * len(mine), pa.int32()),
                "offset": pa.array(range(len(mine)), pa.int64()),
                "kafka_timestamp": pa.array([r.kafka_timestamp for r in mine], pa.timestamp("us", "UTC")),
                "value": pa.array([r.value for r in mine], pa.binary()),
            }
        )
        for record, judged in zip(mine, inspect(con, topic, table).to_pylist(), strict=True):
            if not judged["parseable"] or repeats_a_name(record.value):
                continue
            value = json.loads(record.value)
            if (found := topic_of(value)) is not None and found.name != topic:
                continue  # it goes by its category, so it can't come to a wrong topic
            verdict = fault(value, record.kafka_timestamp)
            told = (verdict.reason, verdict.detail) if verdict else (None, None)
            assert told[0] == judged["reason"], (record.value, told, judged)
            if told[0] not in (None, "wrong_category"):
                assert told[1].split(";")[0] == judged["detail"] or told[0] == "unknown_type"
            compared += 1
            wrong += verdict is not None
    assert compared > 800 and wrong > 50
