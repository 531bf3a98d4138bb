"""What names a person is told from what only has the letters of an id."""

from __future__ import annotations

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deployment.persons.remains import Sought

NAMING = [
    ("a.json", b'{"user_id":"11","rows":3}', "11"),
    ("a.json.gz", gzip.compress(b'{"n":1}\n{"value":{"student_id":"11"}}'), "11"),
    ("roster.json", b'{"teaches":{"admin":["11"]},"advises":{}}', "admin"),
    ("roster.json", b'{"teaches":{"11":["COURSE001"]},"advises":{}}', "11"),
    ("roster.json", b'{"teaches":{},"advises":{"GV001":["11"]}}', "11"),
    ("keys/x.json", b'{"role":"student","person":"admin"}', "admin"),
    ("advice/x.jsonl", b'{"by":"x","student":"y"}\n{"by":"admin","student":"z"}', "admin"),
    ("c.persons/0.jsonl.gz", gzip.compress(b'{"token":"0","person":"admin"}'), "admin"),
]
MEANING = [
    ("a.json", b'{"user_id":"1","rows":11,"partition":"11"}', "11"),
    ("roster.json", b'{"teaches":{"GV001":["11"]},"advises":{}}', "11"),
    ("keys/x.json", b'{"role":"admin","person":""}', "admin"),
    ("c/0.jsonl.gz", gzip.compress(b'{"who":"0","role":"admin"}'), "admin"),
]


@pytest.mark.parametrize(
    ("path", "data", "person", "named"), [(*a, True) for a in NAMING] + [(*a, False) for a in MEANING]
)
def test_what_names_a_person_is_told_from_what_has_the_letters(path, data, person, named):
    times, found = Sought([person]).within(path, data)
    assert found == named and (times or not named)


def test_rows_that_name_a_person_are_told_from_others():
    sink = io.BytesIO()
    pq.write_table(pa.table({"user_id": ["1", "x"], "course_id": ["11", "admin"]}), sink)
    for person, named in (("1", True), ("11", False), ("admin", False), ("x", True)):
        times, found = Sought([person]).within("a.parquet", sink.getvalue())
        assert found == named and (times or not named)
