"""JSON lines landed without Kafka and Spark: as ingestion lands them, each once, however often a file is landed."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pytest
from kafka.partitioner.default import DefaultPartitioner

from catalogue.at_rest.raw_files import commits, landed_head, newest_commit
from catalogue.events import TOPICS
from ingestion_layer import offline
from ingestion_layer.commits import Commits, IngestError, TakenOver
from ingestion_layer.json_lines import LONGEST, UnreadableLines
from ingestion_layer.offline import land_file
from runtime.storage.local import LocalStore
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from tests.ingestion_layer.test_producer import produce
from tests.oracle.validity import is_valid

ROOT = Path(__file__).resolve().parents[2]
ARRIVED = dt.datetime(2026, 4, 1, 8, 0, 0, 123000, tzinfo=dt.UTC)
TOPIC_OF = {topic.category: topic.name for topic in TOPICS.values()}


@pytest.fixture(scope="module")
def made() -> bytes:
    done = produce("--events", 3000, "--seed", 4, "--invalid", 0.05, "--duplicates", 0.05, "--output", "-")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def stores(tmp_path) -> tuple[Store, Store]:
    return open_store(str(tmp_path / "raw")), open_store(str(tmp_path / "quarantine"))


class Cluster:
    """What Kafka's partitioner asks of a cluster."""

    topics = staticmethod(TOPICS.keys)

    @staticmethod
    def partitions_for_topic(topic: str) -> set[int]:
        return set(range(TOPICS[topic].partitions))

    available_partitions_for_topic = partitions_for_topic


def file(folder: Path, content: bytes, name: str = "events.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def kept(store: Store) -> list[dict]:
    found = [gzip.decompress(store.read(e.path)).splitlines() for e in store.list("topic=")]
    return [json.loads(line) for lines in found for line in lines]


def original(line: dict) -> bytes:
    return base64.b64decode(line["value"]) if "value_encoding" in line else line["value"].encode()


def test_every_line_lands_once_as_it_would_from_kafka(tmp_path, made, stores):
    result = land_file(file(tmp_path, made), *stores, ARRIVED)
    lines = made.splitlines()
    raw, quarantined = kept(stores[0]), kept(stores[1])
    assert result.read == len(lines) and result.landed == len(raw)
    assert result.landed + result.unparseable == result.read and result.invalid + result.unparseable == len(quarantined)
    objects = Counter(line for line in lines if _is_object(line))
    texts = b"".join(gzip.decompress(stores[0].read(e.path)) for e in stores[0].list("topic=")).splitlines()
    assert Counter(text.partition(b'"value":')[2][:-1] for text in texts) == objects, "the event's own bytes"
    bad = Counter(
        line
        for line in lines
        if not _is_object(line)
        or not is_valid(TOPIC_OF.get(json.loads(line)["event_category"], "auth_topic"), ARRIVED, line)
    )
    assert Counter(map(original, quarantined)) == bad and all(line["reason"] for line in quarantined)
    offsets = defaultdict(list)
    for line in raw + [q for q in quarantined if q["reason"] in ("not_an_object", "not_utf8")]:
        offsets[line["topic"], line["partition"]].append(line["offset"])
        assert line["kafka_timestamp"] == "2026-04-01T08:00:00.123Z"
    for (topic, partition), found in offsets.items():
        assert sorted(found) == list(range(len(found))), "each offset once, none left out"
        assert landed_head(stores[0])[topic][str(partition)] == len(found)
    assert offsets.keys() == {(t.name, p) for t in TOPICS.values() for p in range(t.partitions)}


def test_a_user_is_where_kafka_would_put_them(tmp_path, made, stores):
    land_file(file(tmp_path, made), *stores, ARRIVED)
    choose = DefaultPartitioner().partition
    for line in kept(stores[0]):
        user = line["value"].get("user_id")
        key = user.encode() if isinstance(user, str) else b""
        assert line["partition"] == choose(line["topic"], key, key, b"", b"", Cluster)


def test_offsets_follow_the_order_of_the_file(tmp_path, made, stores):
    land_file(file(tmp_path, made), *stores, ARRIVED)
    place = {line: number for number, line in enumerate(dict.fromkeys(made.splitlines()))}
    rows = sorted((e["topic"], e["partition"], e["offset"], e["value"]["event_id"]) for e in kept(stores[0]) if _new(e))
    first: dict[str, int] = {}
    for line, number in place.items():
        if _is_object(line):
            first.setdefault(json.loads(line).get("event_id", ""), number)
    for before, after in zip(rows, rows[1:], strict=False):
        if before[:2] == after[:2] and before[3] != after[3] and Counter(r[3] for r in rows)[after[3]] == 1:
            assert first[before[3]] < first[after[3]]


def _new(line: dict) -> bool:
    return isinstance(line["value"].get("event_id"), str)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def test_landing_again_adds_nothing_whatever_the_file_is_called_or_packed_in(tmp_path, made, stores):
    land_file(file(tmp_path, made), *stores)
    before = [[(e.path, e.etag) for e in store.list()] for store in stores]
    packed = gzip.compress(made[: len(made) // 2]) + gzip.compress(made[len(made) // 2 :])
    with pa.CompressedOutputStream(str(tmp_path / "any.zst"), "zstd") as out:
        out.write(made)
    for path in (file(tmp_path, made, "other"), file(tmp_path, packed, "of-two-members.gz"), tmp_path / "any.zst"):
        result = land_file(path, *stores)
        assert (result.read, result.bytes_before) == (0, len(made.rstrip()))
    assert [[(e.path, e.etag) for e in store.list()] for store in stores] == before


def test_a_file_that_has_grown_adds_what_is_new_and_its_beginning_nothing(tmp_path, made, stores):
    lines = made.splitlines(keepends=True)
    whole = [b"".join(lines[:n]) for n in (500, 900, len(lines))]
    for content in (*whole, whole[0], whole[1], made.rstrip(b"\n")):
        land_file(file(tmp_path, content), *stores, ARRIVED)
    assert sum(e["read"] for p in newest_commit(stores[0]).total.values() for e in p.values()) == len(lines)
    assert Counter(e["value"]["event_id"] for e in kept(stores[0]) if _new(e)) == Counter(
        json.loads(line)["event_id"] for line in lines if _is_object(line)
    )


def test_a_line_that_grows_in_its_middle_is_refused(tmp_path, stores):
    line = b'{"event_category":"AUTH","n":1'
    land_file(file(tmp_path, line), *stores)
    with pytest.raises(UnreadableLines, match="must go on with a line break where it ended before; got b'}'"):
        land_file(file(tmp_path, line + b"}\n"), *stores)
    assert land_file(file(tmp_path, line + b'\r\n{"event_category":"AUTH"}\n'), *stores).read == 1


class Failing(LocalStore):
    """A folder whose n-th write fails."""

    left = 0

    def write(self, path: str, data: bytes) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().write(path, data)


@pytest.mark.parametrize("writes", [0, 1, 20, 30, 60])
def test_what_was_killed_goes_on_where_its_last_commit_ended(tmp_path, made, monkeypatch, writes):
    monkeypatch.setattr(offline, "LINES", 700)
    path, raw, quarantine = file(tmp_path, made), Failing(tmp_path / "raw"), LocalStore(tmp_path / "quarantine")
    raw.left = writes
    with pytest.raises(KeyboardInterrupt):
        land_file(path, raw, quarantine)
    store = LocalStore(tmp_path / "raw")
    land_file(path, store, quarantine)
    everything = land_file(path, whole := LocalStore(tmp_path / "whole"), LocalStore(tmp_path / "whole-quarantine"))
    assert Counter(json.dumps(e["value"]) for e in kept(store)) == Counter(json.dumps(e["value"]) for e in kept(whole))
    total = newest_commit(store).total
    assert total == newest_commit(whole).total and everything.read == len(made.splitlines())
    named = sorted(f.path for commit in commits(store) for f in commit.files)
    assert named == [e.path for e in store.list("topic=")], "what the killed one wrote in vain is gone"


def test_of_two_at_once_one_is_told(tmp_path, made, stores, monkeypatch):
    monkeypatch.setattr(offline, "LINES", 700)
    path = file(tmp_path, made)
    meddled = []

    def meddle(_landed) -> None:
        if not meddled:
            meddled.append(True)
            Commits.newest(stores[0], "files").take_over(stores[0])

    with pytest.raises(TakenOver, match="another ingester made it; only one may run"):
        land_file(path, *stores, told=meddle)
    named = sorted(f.path for commit in commits(stores[0]) for f in commit.files)
    assert named == [e.path for e in stores[0].list("topic=")]


def test_a_folder_has_one_origin(tmp_path, made, stores):
    Commits.newest(stores[0]).take_over(stores[0])
    with pytest.raises(IngestError, match="raw: must hold events landed from files; got events from kafka"):
        land_file(file(tmp_path, made), *stores)
    other = open_store(str(tmp_path / "other"))
    land_file(file(tmp_path, made), other, stores[1])
    with pytest.raises(IngestError, match="other: must hold events landed from kafka; got events from files"):
        Commits.newest(other)


def test_lines_without_a_known_category_are_quarantined_under_the_first_topic(tmp_path, stores):
    lines = [
        b'{"event_category":"WEATHER","user_id":"a"}',
        b"[1]",
        b"\xff",
        b'{"event_category": "VIDEO", "cut',
        b"",
        b'{"a":1}',
    ]
    land_file(file(tmp_path, b"\n".join(lines)), *stores)
    assert sorted((q["topic"], q["reason"]) for q in kept(stores[1])) == [
        ("auth_topic", "not_an_object"),
        ("auth_topic", "not_utf8"),
        ("auth_topic", "wrong_category"),
        ("auth_topic", "wrong_category"),
        ("video_topic", "not_an_object"),
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "must be a file of JSON lines; got none"),
        (b"a,b\n1,2\n", "must hold events; got no event_category in its first 2 lines"),
        (
            gzip.compress(b'{"event_category":"AUTH"}\n' * 9999, mtime=0)[:-20],
            "must be readable, plain or packed by gzip or zstd",
        ),
        (b"\x28\xb5\x2f\xfdnothing", "must be readable, plain or packed by gzip or zstd"),
        (b"x" * (LONGEST + 2), f"line 1 must have at most {LONGEST} bytes; got more"),
    ],
)
def test_unusable_input_is_one_line_and_lands_nothing(tmp_path, content, told):
    path = tmp_path / "input"
    if content is not None:
        path.write_bytes(content)
    done = command("--from", path, "--to", tmp_path / "raw")
    assert done.returncode == 1
    assert done.stderr.startswith(f"minio_ingest: {path}: ") and told in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--from", "x"), "--from FILE needs --to FOLDER"),
        (("--from", "x", "--to", "y", "--once"), "without --once"),
        (("--to", "y"), "need --from FILE"),
        (("--from", "x", "--to", "y", "--arrival", "noon"), "must be a moment as 2026-03-01T08:00:00Z; got 'noon'"),
    ],
)
def test_bad_options(options, told):
    done = command(*options)
    assert done.returncode == 2 and told in done.stderr and done.stderr.count("\n") == 1


def test_the_command_needs_no_spark_and_says_what_it_did(tmp_path, made):
    script = (
        "import sys; from ingestion_layer.ingest_command import main; code = main(sys.argv[1:]); "
        "assert not {'pyspark', 'py4j'} & sys.modules.keys(); sys.exit(code)"
    )
    options = ("--from", file(tmp_path, made), "--to", tmp_path / "raw", "--arrival", "2026-04-01")
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, options)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert f"of {len(made.splitlines())} lines in" in done.stderr and "unparseable, in quarantine only: " in done.stderr
    assert list((tmp_path / "raw").glob("topic=auth_topic/date=2026-04-01/*.json.gz"))
    assert list((tmp_path / "quarantine").glob("topic=*/date=2026-04-01/*.json.gz"))


def command(*options: object) -> subprocess.CompletedProcess:
    script = ROOT / "ingestion_layer" / "minio_ingest.py"
    return subprocess.run(
        [sys.executable, str(script), *map(str, options)], capture_output=True, text=True, timeout=120
    )
