"""Whether an S3 store can carry the platform's commits: the real MinIO, or the one that MINIO_ENDPOINT names.

`docs/stores.md` says how it is run against another one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from uuid import uuid4

import boto3
import pytest

from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import Conflict, Store

RACERS, ROUNDS = 8, 6
SIZE = 12 * 2**20


@pytest.fixture(scope="module")
def settings(request) -> Settings:
    """Of the store that MINIO_ENDPOINT names, else of this machine's MinIO."""
    if os.environ.get("MINIO_ENDPOINT"):
        return Settings.load()
    return request.getfixturevalue("stack").settings


@pytest.fixture
def place() -> str:
    return f"s3a://bucket-0/conformance/{uuid4().hex}"


def race(settings: Settings, place: str, step: Callable[[Store, int], None]) -> list[int]:
    """Let racers do a step at one moment, each by a connection of its own; the numbers of those that did it."""
    barrier, won = threading.Barrier(RACERS), []

    def racer(number: int) -> None:
        store = open_store(place, settings)
        store.list()  # connected before the start
        barrier.wait(60)
        try:
            step(store, number)
        except (FileExistsError, Conflict):
            return
        won.append(number)

    threads = [threading.Thread(target=racer, args=(number,)) for number in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return won


def test_of_those_who_create_one_wins(settings, place):
    """`If-None-Match: *`, by which commits and deltas are numbered."""
    store = open_store(place, settings)
    for turn in range(ROUNDS):
        won = race(settings, place, lambda s, n, turn=turn: s.create(f"{turn}", str(n).encode()))
        assert len(won) == 1 and store.read(f"{turn}") == str(won[0]).encode()


def test_of_those_who_swap_one_wins(settings, place):
    """`If-Match`, by which the published run is replaced."""
    store = open_store(place, settings)
    store.write("current", b"first")
    for _ in range(ROUNDS):
        tag = store.etag("current")
        won = race(settings, place, lambda s, n, tag=tag: s.swap("current", f"{uuid4()} {n}".encode(), tag))
        assert len(won) == 1 and store.read("current").endswith(f" {won[0]}".encode())
    with pytest.raises(Conflict):
        store.swap("current", b"late", tag)
    with pytest.raises(Conflict):
        store.swap("missing", b"late", tag)
    assert store.etag("missing") is None


PUT = """
import sys, time, urllib.parse, http.client
url, size = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2])
connection = http.client.HTTPConnection(url.netloc, timeout=60)
connection.putrequest("PUT", f"{url.path}?{url.query}")
connection.putheader("Content-Length", str(size))
connection.endheaders()
connection.send(b"x" * (size // 3))
print("sent", flush=True)
time.sleep(600)
"""


def test_a_writer_that_is_killed_leaves_nothing_or_what_was_there(settings, place):
    store = open_store(place, settings)
    client = boto3.client(
        "s3",
        endpoint_url=settings.minio_endpoint,
        aws_access_key_id=settings.minio_access_key,
        aws_secret_access_key=settings.minio_secret_key,
        region_name="us-east-1",
        config=boto3.session.Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    store.write("old", b"what was there")
    for name in ("new", "old"):
        key = f"{place.removeprefix('s3a://bucket-0/')}/{name}"
        url = client.generate_presigned_url("put_object", Params={"Bucket": "bucket-0", "Key": key})
        child = subprocess.Popen([sys.executable, "-c", PUT, url, str(SIZE)], stdout=subprocess.PIPE)
        assert child.stdout and child.stdout.readline() == b"sent\n"
        child.send_signal(signal.SIGKILL)
        child.wait(60)
        child.stdout.close()
    assert store.etag("new") is None and store.read("old") == b"what was there"
    assert [entry.path for entry in store.list()] == ["old"]
    store.create("new", b"whole")
    assert store.read("new") == b"whole"


def test_what_is_written_is_listed_at_once(settings, place):
    store = open_store(place, settings)
    for number in range(40):
        store.write(f"folder/{number:03}", b"x" * number)
        assert [(e.path, e.size) for e in store.list("folder/")] == [(f"folder/{n:03}", n) for n in range(number + 1)]
    store.delete([f"folder/{n:03}" for n in range(0, 40, 2)])
    assert [e.path for e in store.list("folder/")] == [f"folder/{n:03}" for n in range(1, 40, 2)]
    store.write("folder/001", b"again")
    assert store.list("folder/001")[0].size == 5 and store.list("folder/001")[0].etag == store.etag("folder/001")
