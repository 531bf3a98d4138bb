"""The raw file's name, line and commit manifest: what is made is matched and parsed, what is damaged is named."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.at_rest.manifest import Damaged
from catalogue.at_rest.raw_files import (
    Commit,
    CommittedFile,
    RawName,
    commits,
    is_raw_file,
    landed_head,
    newest_commit,
    raw_line,
    raw_lines,
)
from catalogue.sql.dialect import connect
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError

PATH = "topic=video_topic/date=2026-03-01/part-00002-00000000000000000007-00000000000000000009-00000003.json.gz"
NAME = RawName("video_topic", "2026-03-01", 2, 7, 9, 3)
FILE = CommittedFile(PATH, "video_topic", 2, 7, 9, 3, 120)
ENTRY = {"read": 3, "landed": 3, "unparseable": 0, "invalid": 0}
COMMIT = Commit(
    commit=3,
    committed_at="2026-03-01T08:00:00.000Z",
    ranges={"video_topic": {"2": [7, 10]}},
    head={"video_topic": {"2": 10}},
    files=[FILE],
    ledger={"video_topic": {"2": ENTRY}},
    total={"video_topic": {"2": ENTRY}},
    takeovers=[1],
)


def test_a_name_is_matched_as_it_is_made():
    assert NAME.path == PATH and RawName.matched(PATH) == RawName.parsed(PATH) == NAME
    older = PATH.replace("-00000003", "")
    assert (
        RawName.parsed(older) == RawName("video_topic", "2026-03-01", 2, 7, 9) and RawName.parsed(older).path == older
    )


@given(st.integers(0, 10**6), st.integers(0, 10**19), st.integers(0, 10**19), st.integers(0, 10**12))
def test_any_numbers_come_back(partition, first, last, commit):
    name = RawName("auth_topic", "2026-03-01", partition, first, last, commit)
    assert RawName.matched(name.path) == name and is_raw_file(name.path)


@pytest.mark.parametrize(
    "path",
    [
        "topic=video_topic/date=2026-03-01/part-from-another-tool.json",
        "topic=video_topic/date=2026-03-01/part-0-7-9.json.gz",
        "part-00002-00000000000000000007-00000000000000000009-00000003.json.gz",
        PATH + ".crc",
    ],
)
def test_a_name_that_ingestion_did_not_make(path):
    assert RawName.matched(path) is None
    with pytest.raises(StorageError, match="raw file '.*': name must be part-<partition>-<first>-<last>"):
        RawName.parsed(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("topic=x/date=2026-03-01/any.json", True),
        ("topic=x/date=2026-03-01/any.json.zst", True),
        ("topic=x/date=2026-03-01/_temporary/any.json", False),
        ("topic=x/date=2026-03-01/.any.json.gz", False),
        ("topic=x/date=2026-03-01/any.csv", False),
    ],
)
def test_what_a_reader_by_pattern_takes(path, expected):
    assert is_raw_file(path) is expected


def test_a_line_is_read_as_it_is_made(tmp_path):
    con = connect()
    moment = dt.datetime(2026, 3, 1, 8, 0, 0, 123000)
    text = '{"a":\r\n[1, "ü\\n"]}'
    expression = raw_line("auth_topic", "3", "17", "$moment", "$text")
    line = con.execute(f"SELECT {expression}", {"moment": moment, "text": text}).fetchall()[0][0]
    envelope = '{"topic":"auth_topic","partition":3,"offset":17,"kafka_timestamp":"2026-03-01T08:00:00.123Z","value":'
    assert line == envelope + '{"a":  [1, "ü\\n"]}}'
    path = tmp_path / "raw.json"
    path.write_text(f'{line}\n{{"topic":"auth_topic"}}\nnothing\n')
    read = con.sql(f"SELECT * FROM {raw_lines('auth_topic', [path], 'JSON', 2**20)}").fetchall()
    assert read[0][:3] == (3, 17, moment) and json.loads(read[0][3]) == json.loads(text)
    assert [row[0] for row in read[1:]] == [None, None]
    assert con.sql(f"SELECT * FROM {raw_lines('auth_topic', [], 'JSON', 2**20)}").fetchall() == []


def test_a_commit_is_read_as_it_is_written(tmp_path):
    raw = open_store(str(tmp_path))
    assert newest_commit(raw) is None and landed_head(raw) == {} and commits(raw) == []
    raw.write(COMMIT.path, COMMIT.encoded())
    assert newest_commit(raw) == COMMIT and landed_head(raw) == COMMIT.head and commits(raw) == [COMMIT]
    assert COMMIT.path == "_commits/00000000000000000003.json"
    assert json.loads(COMMIT.encoded())["schema_version"] == 1


def test_a_commit_of_before_versions_and_one_of_a_later_writer():
    value = json.loads(COMMIT.encoded())
    del value["schema_version"]
    assert Commit.decoded("it", json.dumps(value).encode()) == COMMIT
    value["compacted"] = {"by": [1]}
    value["files"][0]["sum"] = "later"
    later = Commit.decoded("it", json.dumps(value).encode())
    assert later.unknown == {"compacted": {"by": [1]}} and later.files == [FILE]
    assert json.loads(later.encoded())["compacted"] == {"by": [1]}


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("commit", "3", 'field commit must be a whole number; got "3"'),
        ("commit", True, "field commit must be a whole number; got true"),
        ("committed_at", None, "field committed_at must be a text; got null"),
        ("head", [], r"field head must be a JSON object; got \[\]"),
        ("head", {"video_topic": {"2": 1.5}}, "field head.video_topic.2 must be a whole number; got 1.5"),
        ("ranges", {"video_topic": {"2": {}}}, "field ranges.video_topic.2 must be a JSON array; got {}"),
        ("files", [{"path": "x"}], r"field files\[0\].topic must be there; got none"),
        ("files", ["x"], r"field files\[0\] must be a JSON object; got \"x\""),
        ("takeovers", ["x" * 200], r"field takeovers\[0\] must be a whole number; got \"x{79}…"),
        ("schema_version", 2, "schema_version must be at most 1; got 2"),
    ],
)
def test_a_damaged_commit_names_object_and_field(tmp_path, field, value, told):
    raw = open_store(str(tmp_path))
    raw.write(COMMIT.path, json.dumps(json.loads(COMMIT.encoded()) | {field: value}).encode())
    with pytest.raises(Damaged, match=f"storage {tmp_path}: _commits/0*3.json: {told}"):
        newest_commit(raw)


@pytest.mark.parametrize(
    ("data", "told"), [(b'{"commit":', "must be JSON; got .*"), (b"[]", "it must be a JSON object"), (b"\xff", "JSON")]
)
def test_a_commit_that_is_none(data, told):
    with pytest.raises(Damaged, match=f"it: .*{told}"):
        Commit.decoded("it", data)


@pytest.mark.parametrize("field", ["commit", "head", "total", "takeovers", "files"])
def test_a_commit_that_lacks_a_field(field):
    value = json.loads(COMMIT.encoded())
    del value[field]
    with pytest.raises(Damaged, match=f"it: field {field} must be there; got none"):
        Commit.decoded("it", json.dumps(value).encode())
