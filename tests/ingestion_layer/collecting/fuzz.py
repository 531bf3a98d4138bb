"""Bodies that nobody should send: `python -m tests.ingestion_layer.collecting.fuzz [--seed N] [--bodies N]`.

Each is answered below 500, and what is acknowledged is in Kafka: 20,000 bodies a standard by default.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import Any

import httpx

from deployment.local_stack import LocalStack
from tests.ingestion_layer.collecting.conftest import Collector, Topics
from tests.ingestion_layer.collecting.test_own_events import EVENT_TYPES, event
from tests.ingestion_layer.collecting.test_streams import envelope, viewed
from tests.ingestion_layer.collecting.test_xapi import statement

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        1.5,
        1e308,
        2**63,
        "",
        "\0",
        "x" * 200,
        "\ud83d",
        [],
        {},
        [[]],
        {"": None},
        "2026-13-40T99:00Z",
    ),
    *(
        "2026-13-40T99:00Z",
        "http://a b",
        "mailto:",
        {"id": 7},
        [None, {}],
        "00000000-0000-0000-0000-000000000000",
        {"mbox": ["x"]},
    ),
)
ROUTES = {
    "events": "/events",
    "xapi": "/xapi/statements",
    "caliper": "/caliper",
    "edx": "/edx",
    "canvas": "/canvas",
}
TRIES = 10
HEADERS = {"X-Experience-API-Version": "1.0.3", "Content-Type": "application/json"}


def bodies(standard: str, rng: random.Random) -> Any:
    """A good body of a standard, with an identity of its own."""
    if standard == "events":
        return [event(rng.choice(list(EVENT_TYPES))) for _ in range(rng.randint(1, 3))]
    if standard == "xapi":
        made = [statement() for _ in range(rng.randint(1, 3))]
        return made if rng.random() < 0.5 else made[0]
    if standard == "caliper":
        return envelope(viewed(), viewed()) if rng.random() < 0.5 else [viewed()]
    if standard == "canvas":
        own = {"metadata": {"event_name": "quiz_submitted"}, "body": {"quiz_id": str(uuid.uuid4())}}
        return envelope(viewed()) if rng.random() < 0.5 else own
    lines = [line for line in (SAMPLES / "edx" / "tracking.log").read_bytes().splitlines() if line[:1] == b"{"]
    return [json.loads(rng.choice(lines)) | {"username": str(uuid.uuid4())}]


def damaged(value: Any, rng: random.Random) -> Any:
    """A value with one of its parts, however deep, gone, odd or doubled."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        name = rng.choice(list(value))
        changed = dict(value)
        match rng.randrange(5):
            case 0:
                del changed[name]
            case 1:
                changed[name] = rng.choice(ODD)
            case 2:
                changed[str(rng.choice(ODD))] = rng.choice(ODD)
            case _:
                changed[name] = damaged(value[name], rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.85:
        place = rng.randrange(len(value))
        return [damaged(one, rng) if n == place else one for n, one in enumerate(value)]
    return rng.choice(ODD)


def body(standard: str, rng: random.Random) -> tuple[bytes, dict[str, str]]:
    """What is sent, and its headers."""
    told = bodies(standard, rng)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 4))):
        told = damaged(told, rng)
    text = json.dumps(told).encode()
    headers = dict(HEADERS) if rng.random() < 0.97 else {"Content-Type": rng.choice(("text/plain", "multipart/mixed"))}
    match rng.randrange(12):
        case 0:
            text = text[: rng.randrange(len(text) + 1)]
        case 1:
            cut = bytearray(text)
            for _ in range(rng.randint(1, 5)):
                cut[rng.randrange(len(cut))] = rng.randrange(256)
            text = bytes(cut)
        case 2:
            text = rng.randbytes(rng.randrange(200))
        case 3:
            text = gzip.compress(text)[: rng.choice((None, -3, 20))]
            headers["Content-Encoding"] = "gzip"
        case 4:
            text = b"[" * rng.randrange(3000) + text
    return text, headers


def fuzzed(address: str, standard: str, number: int, seed: int, topics: Topics, senders: int = 1) -> dict[int, int]:
    """Send `number` bodies, `senders` at a time: how often each status was answered. AssertionError for a 5xx, or where
    Kafka lacks what was acknowledged.
    """
    rng, statuses, acknowledged, accepted = random.Random(f"{standard} {seed}"), dict[int, int](), set[str](), 0
    again = False
    made = (body(standard, rng) for _ in range(number))
    with httpx.Client(base_url=address, timeout=120) as client, ThreadPoolExecutor(senders) as pool:

        def send(one: tuple[bytes, dict[str, str]]) -> tuple[bytes, httpx.Response]:
            nonlocal again
            for _ in range(TRIES):
                answer = client.post(ROUTES[standard], content=one[0], headers=one[1])
                if answer.status_code != 503 or "Retry-After" not in answer.headers:
                    break
                again = True  # as a busy machine's senders do, too
                time.sleep(int(answer.headers["Retry-After"]))
            return one[0], answer

        for text, answer in chain.from_iterable(pool.map(send, some) for some in batched(made, 10 * senders)):
            unbuilt = standard == "canvas" and answer.status_code == 501  # what may be signed, where no keys are known
            assert answer.status_code < 500 or unbuilt, (standard, seed, answer.status_code, answer.text, text[:2000])
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            if answer.status_code == 200 and standard == "xapi":
                acknowledged |= set(answer.json())
            elif answer.status_code == 200 and answer.content:
                accepted += answer.json()["accepted"]
    records = topics.records()
    if standard == "events":
        assert len(records) == accepted or (again and len(records) > accepted), (len(records), accepted)
    elif standard == "xapi":
        there = {_id(json.loads(value)) for _, _, value in records}
        assert {key[:14] + key[15:] for key in acknowledged} <= there
    else:
        assert len(records) >= max(accepted, 1)
    return statuses


def _id(told: dict[str, Any]) -> str:
    """The identity of an event or of what no mapping knows, without the digit that tells how it was made."""
    key = str(told.get("event_id") or told["document"]["id"]).lower()
    return key[:14] + key[15:]


def batched(made: Iterator[Any], number: int) -> Iterator[list[Any]]:
    """Some at a time, so that not all of them have to be kept."""
    while some := list(islice(made, number)):
        yield some


def main() -> None:
    """Fuzz every standard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bodies", type=int, default=20_000)
    parser.add_argument("--senders", type=int, default=8, help="how many send at a time")
    parser.add_argument("--standards", default=",".join(ROUTES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        stack = LocalStack(Path(place) / "stack", free_ports=True)
        stack.up()
        collector = Collector(Path(place), stack.environment).wait()
        try:
            for standard in options.standards.split(","):
                topics = Topics(stack.settings.kafka_bootstrap_servers)
                found = fuzzed(collector.address, standard, options.bodies, options.seed, topics, options.senders)
                print(standard, found, flush=True)
        finally:
            collector.stop()
            stack.down()


if __name__ == "__main__":
    main()
