"""What senders send to a collector whose Kafka takes little, and what they are answered."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.ingestion_layer.collecting.conftest import LIMIT, Collector, Topics
from tests.ingestion_layer.collecting.small_kafka import SmallKafka
from tests.ingestion_layer.collecting.test_faults import ENDED, HEADERS, login

# Seconds of a collector's patience: few enough to be waited for, many enough for a busy machine.
PATIENCE = 3


def impatient(broker: SmallKafka, folder: Path) -> Iterator[Collector]:
    """A running collector before a broker, with little patience and memory, which ends well."""
    running = Collector(
        folder,
        broker.environment | {"MASTER_DATASET": str(folder / "raw")},
        COLLECTOR_PATIENCE_SECONDS=str(PATIENCE),
        COLLECTOR_WAITING_BYTES=str(32 * 2**20),
    )
    try:
        yield running.wait()
    finally:
        assert running.stop() in ENDED


def noise(size: int) -> str:
    """Text that can't be packed to much less."""
    return base64.b64encode(os.urandom(size * 3 // 4)).decode()


def viewed(**changed: Any) -> dict[str, Any]:
    """An event of a course."""
    made = {"event_category": "COURSE", "event_type": "COURSE_VIEW", "course_id": "COURSE001", "session_id": ...}
    return {name: value for name, value in login(**made, **changed).items() if value is not ...}


def post(collector: Collector, event: Any) -> httpx.Response:
    """What a sender of ours is answered."""
    return httpx.post(f"{collector.address}/events", json=event, timeout=LIMIT)


def told(collector: Collector, one: dict[str, Any]) -> httpx.Response:
    """What a sender of statements is answered."""
    return httpx.post(f"{collector.address}/xapi/statements", json=one, headers=HEADERS, timeout=LIMIT)


def later(answer: httpx.Response) -> bool:
    """Whether a sender is told to come again."""
    return answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1


def answered(ask: Callable[[], httpx.Response], *statuses: int) -> httpx.Response:
    """An answer, asked for as often as a sender does that is told to come again."""
    deadline = time.monotonic() + LIMIT
    while True:
        answer = ask()
        if answer.status_code in (statuses or (200,)):
            return answer
        assert later(answer), answer.text
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)


def ids(topics: Topics) -> list[str]:
    """The identities of the events that have arrived."""
    return [event["event_id"] for event in topics.events()]
