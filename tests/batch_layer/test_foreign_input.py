"""INPUT as other tools leave it: their JSON, their compressions, their folders; no manifests, repeated lines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from batch_layer.run_batch_jobs import main
from catalogue.views import VIEWS
from tests.ingestion_layer.test_producer import produce
from tests.laws.test_batch import answers, check, current
from tests.oracle.counting import Record
from tests.oracle.histories import START, envelope, landed
from tests.oracle.validity import RULES

TOPIC_OF = {category: topic for topic, (category, _) in RULES.items()}


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> list[Record]:
    """Generated events with trouble, in more partitions than the catalogue has, as Kafka would hold them."""
    output = tmp_path_factory.mktemp("events") / "events.jsonl"
    options = [
        "--events",
        "3000",
        "--seed",
        "4",
        "--students",
        "60",
        "--courses",
        "6",
        "--duplicates",
        "0.05",
        "--invalid",
        "0.05",
    ]
    done = produce(*options, "--start", "2026-02-01", "--end", "2026-03-01", "--output", output)
    assert done.returncode == 0, done.stderr
    offsets: dict[tuple[str, int], int] = {}
    made = []
    for number, line in enumerate(output.read_bytes().splitlines()):
        try:
            event = json.loads(line)
            topic = TOPIC_OF.get(event["event_category"], "auth_topic")
        except (ValueError, TypeError):
            topic = "course_topic"
        place = (topic, number * 7 % 12)
        offsets[place] = offsets.get(place, 40) + 1 + number % 3
        made.append(Record(*place, offsets[place], START, line))
    return landed(made)


def by_topic(records: list[Record]) -> dict[str, list[Record]]:
    return {topic: [r for r in records if r.topic == topic] for topic in RULES}


def folder_of(raw: Path, topic: str, *deeper: str) -> Path:
    folder = raw.joinpath(f"topic={topic}", "date=2026-03-01", *deeper)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def python_lines(raw: Path, records: list[Record]) -> None:
    """As json.dumps writes them: spaces, escapes, members in another order, one more member; two files share lines."""
    for topic, mine in by_topic(records).items():
        lines = []
        for r in mine:
            parsed = json.loads(envelope(r))
            lines.append(json.dumps({"ingested_by": "tool", **dict(reversed(parsed.items()))}))
        folder = folder_of(raw, topic, "hour=08")
        (folder / "a.json").write_text("\r\n".join(lines[: len(lines) * 2 // 3]))
        with gzip.open(folder / "b.json.gz", "wt") as file:
            file.write("\n".join(lines[len(lines) // 3 :]) + "\n")


def duckdb_lines(raw: Path, records: list[Record]) -> None:
    """As DuckDB's COPY writes JSON, with zstd."""
    con = duckdb.connect()
    for topic, mine in by_topic(records).items():
        con.register("lines", pa.table({"line": [envelope(r).decode() for r in mine]}))
        target = folder_of(raw, topic) / "data_0.json.zst"
        con.execute(
            f"""COPY (SELECT line->>'topic' AS topic, (line->'partition')::INT AS "partition",
                (line->'offset')::BIGINT AS "offset", line->>'kafka_timestamp' AS kafka_timestamp,
                (line->'value')::JSON AS value FROM lines) TO '{target}' (FORMAT json, COMPRESSION zstd)"""
        )


@pytest.mark.parametrize("write", [python_lines, duckdb_lines])
def test_other_tools_lines(write, records, tmp_path, capsys):
    write(tmp_path / "raw", records)
    assert main([str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    assert "unreadable" not in capsys.readouterr().err
    check(tmp_path / "out", records)


def test_what_is_beside_the_raw_files_is_left_alone(records, tmp_path, capsys):
    raw, output = tmp_path / "raw", tmp_path / "out"
    mine = [r for r in records if r.topic in ("video_topic", "profile_topic")]
    duckdb_lines(raw, mine)
    video = folder_of(raw, "video_topic")
    folder_of(raw, "forum_topic").joinpath("a.json").write_text('{"topic":"forum_topic"}\n')
    for name in ("_SUCCESS", ".data_0.json.crc", "notes.txt", "data_0.parquet"):
        (video / name).write_bytes(b"x")
    for name in ("_temporary/0/part.json", ".hidden/part.json", ".part-1.json", "_part-2.json"):
        (video / name).parent.mkdir(parents=True, exist_ok=True)
        (video / name).write_text("half a li")
    (folder_of(raw, "course_topic") / "empty.json").write_bytes(b"")
    (folder_of(raw, "auth_topic") / "blank.json").write_text("\n\n \n")
    (folder_of(raw, "assessment_topic") / "empty.json.gz").write_bytes(gzip.compress(b""))
    with pa.CompressedOutputStream(str(folder_of(raw, "notification_topic") / "empty.json.zst"), "zstd") as out:
        out.write(b"")
    assert main([str(raw), str(output)]) == 0
    assert "unreadable" not in capsys.readouterr().err
    check(output, mine)
    published = current(output)
    assert published["cut"]["auth_topic"] == {} and set(published["views"]) == set(VIEWS)
    before = (answers(output), (output / "_current.json").read_bytes())
    assert main([str(raw), str(output)]) == 0, "the same cut"
    assert (answers(output), (output / "_current.json").read_bytes()) == before
