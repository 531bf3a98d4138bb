"""Filters over values that URLs have signs for: pluses, spaces, commas, quotes; and cells that would be formulas."""

from __future__ import annotations

import codecs
import csv
import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from serving_layer.errors import BadQuery
from serving_layer.query.parameters import MOST_VALUES, parse, readings
from tests.laws.test_merged import Platform
from tests.oracle.counting import Record
from tests.serving_layer.conftest import serving

VIEW = "/views/video_total_watch_time"
PLUS, SPACE, MIXED = "course-v1:X+Y+Z", "course-v1:X Y Z", "course-v1:X+Y Z"
COMMA, QUOTED, PLAIN = "a,b", 'say "a",b', "COURSE001"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1")
COURSES = (PLUS, SPACE, MIXED, COMMA, QUOTED, PLAIN, "a", "b", *FORMULAS)
MOMENT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def watched(number: int, course: str) -> Record:
    event = {
        "event_id": str(uuid.UUID(int=number, version=4)),
        "event_category": "VIDEO",
        "event_type": "VIDEO_WATCHED",
        "user_id": f"SV00{number % 3}",
        "timestamp": "2026-03-01T08:00:00Z",
        "video_id": "VID001",
        "course_id": course,
        "watch_duration_seconds": number,
    }
    return Record("video_topic", 0, number, MOMENT, json.dumps(event).encode())


@pytest.fixture(scope="module")
def peculiar(tmp_path_factory) -> Iterator[httpx.Client]:
    """A client of a server over one event per course."""
    records = [watched(number, course) for number, course in enumerate(COURSES)]
    login = {
        "event_id": str(uuid.UUID(int=999, version=4)),
        "event_category": "AUTH",
        "event_type": "LOGIN",
        "user_id": "SV001",
        "timestamp": "2026-03-01T08:00:00Z",
        "role": "student",
        "session_id": "S1",
    }
    records.append(Record("auth_topic", 0, 0, MOMENT, json.dumps(login).encode()))
    platform = Platform(tmp_path_factory.mktemp("peculiar"), records, 1)
    while platform.waiting():
        platform.micro_batch(2.0)
    with serving(platform) as running, httpx.Client(base_url=running.address, timeout=30) as client:
        yield client


def courses(client: httpx.Client, query: str) -> set[str]:
    """The courses of the rows that a query string as it stands gives."""
    answer = client.get(f"{VIEW}?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["rows"])
    return {row["course_id"] for row in answer.json()["rows"]}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("course_id=course-v1:X+Y+Z", {PLUS, SPACE}),
        ("course_id=course-v1%3AX%2BY%2BZ", {PLUS}),
        ("course_id=course-v1:X%20Y%20Z", {SPACE}),
        ("course_id=course-v1:X%2BY+Z", {PLUS, MIXED}),
        ("course_id=course-v1:X%2BY%20Z", {MIXED}),
        ("course_id__in=course-v1:X+Y+Z,COURSE001", {PLUS, SPACE, PLAIN}),
        ("course_id__in=course-v1:X%2BY%2BZ,COURSE001", {PLUS, PLAIN}),
        ('course_id__in="a,b"', {COMMA}),
        ('course_id__in="a,b",COURSE001', {COMMA, PLAIN}),
        ("course_id__in=%22a%2Cb%22%2CCOURSE001", {COMMA, PLAIN}),
        ("course_id__in=a,b", {"a", "b"}),
        ('course_id__in="say ""a"",b"', {QUOTED}),
        ("course_id__in=a,b&course_id__in=COURSE001", {COMMA, PLAIN}),
        ("course_id__in=COURSE001&course_id__in=a", {PLAIN, "a"}),
        ("course_id=a,b", {COMMA}),
        ("course_id__gte=course-v1:X%2BY%2BZ&course_id__lte=course-v1:X%2BY%2BZ", {PLUS}),
        ("course_id__gte=course-v1:X+Y+Z&course_id__lte=course-v1:X+Y+Z", {SPACE}),
        ("total_watch_seconds=+5", {PLAIN}),
        ("total_watch_seconds=%2B5", {PLAIN}),
        ("total_watch_seconds__in=+5,0", {PLAIN, PLUS}),
        ("total_watch_minutes__lte=1e-9", {PLUS}),
        ("total_watch_minutes__lt=1e+9&course_id=COURSE001", {PLAIN}),
    ],
)
def test_filters_match_what_was_meant(peculiar, query, wanted):
    assert courses(peculiar, query) == wanted


@pytest.mark.parametrize(
    ("moment", "rows"),
    [
        ("2026-03-01T08:00:00+00:00", 1),
        ("2026-03-01T08:00:00%2B00:00", 1),
        ("2026-03-01+08:00:00", 1),
        ("2026-03-01T15:00:00+07:00", 1),
        ("2026-03-01T08:00:00+07:00", 0),
    ],
)
def test_times_have_offsets(peculiar, moment, rows):
    answer = peculiar.get(f"/views/auth_user_activity_summary?first_activity={moment}")
    assert answer.json()["total"] == rows


def test_a_lookup_by_either_reading_reads_the_right_person(peculiar):
    both = peculiar.get(f"{VIEW}?user_id=SV+001").json()
    assert both["total"] == 0
    assert peculiar.get(f"{VIEW}?user_id=SV001").json()["total"] > 0


def test_pages_and_runs_read_both_too(peculiar):
    query = "course_id=course-v1:X+Y+Z&limit=1"
    first = peculiar.get(f"{VIEW}?{query}").json()
    second = peculiar.get(f"{VIEW}?{query}&cursor={first['next']}").json()
    assert first["total"] == second["total"] == 2 and second["next"] is None
    assert {row["course_id"] for row in first["rows"] + second["rows"]} == {PLUS, SPACE}
    assert courses(peculiar, "course_id=course-v1:X+Y+Z&sort=-course_id,+video_id&layer=speed") == {PLUS, SPACE}


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/realtime/video_viewers?until=2026-03-01T08:00:00+00:00&course_id=course-v1:X+Y+Z", 2),
        ("/realtime/video_viewers?until=2026-03-01T15:00:00+07:00&course_id__in=course-v1:X%2BY%2BZ", 1),
        ('/realtime/video_viewers?until=2026-03-01T08:00:00Z&course_id__in="a,b",a', 2),
        ("/realtime/video_viewers?until=2026-03-01T08:00:00Z&course_id__in=a,b&course_id__in=b", 2),
    ],
)
def test_windows_read_the_same(peculiar, path, rows):
    assert peculiar.get(path).json()["total"] == rows


@pytest.mark.parametrize(
    ("path", "name", "part"),
    [
        (f'{VIEW}?course_id__in="a,b', "course_id__in", "double quote"),
        (f'{VIEW}?course_id__in="a"b', "course_id__in", "double quote"),
        (f"{VIEW}?nothing__in=a", "nothing__in", "column must be one of"),
        (f"{VIEW}?total_watch_seconds__in=1,x", "total_watch_seconds__in", "whole number"),
        (f"{VIEW}?spreadsheet=true", "spreadsheet", "format=csv"),
        (f"{VIEW}?spreadsheet=yes&format=csv", "spreadsheet", "true, false"),
        ("/realtime/video_viewers?spreadsheet=true&format=arrow", "spreadsheet", "format=csv"),
        ("/realtime/video_viewers?until=9999-12-31T00:00:00Z", "until", "before 2200-01-01"),
        ("/realtime/video_viewers?until=9999-12-31T23:59:59-12:00", "until", "from year 1 to 9999"),
        ("/realtime/video_viewers?until=1999-12-31T00:00:00Z", "until", "from 2000-01-01 on"),
        ("/views/auth_user_activity_summary?last_activity=9999-12-31T23:59:59-01:00", "last_activity", "9999"),
    ],
)
def test_what_cannot_be_used_is_named(peculiar, path, name, part):
    answer = peculiar.get(path)
    assert (answer.status_code, answer.json()["name"]) == (422, name)
    assert part in answer.json()["detail"]


def test_a_list_has_a_limit():
    columns = {"course_id": "VARCHAR"}
    parse([("course_id__in", ",".join("a" * MOST_VALUES))], columns, ("course_id",))
    for parameters in ([("course_id__in", ",".join("a" * (MOST_VALUES + 1)))], [("course_id__in", "a")] * 1001):
        with pytest.raises(BadQuery, match=f"at most {MOST_VALUES} values; got 1001"):
            parse(parameters, columns, ("course_id",))


def test_readings_differ_only_by_an_unencoded_plus():
    spaced, literal = readings(b"a=x+y&b=%2B%20&c=")
    assert spaced == [("a", "x y"), ("b", "+ "), ("c", "")] and literal == [("a", "x+y"), ("b", "+ "), ("c", "")]
    spaced, literal = readings(b"a=%20&b=%2B")
    assert spaced == literal == [("a", " "), ("b", "+")]


@pytest.mark.parametrize("path", [f"{VIEW}?fields=course_id,total_watch_seconds", f"{VIEW}?layer=speed"])
def test_plain_csv_is_exact(peculiar, path):
    rows = list(csv.DictReader(io.StringIO(peculiar.get(f"{path}&format=csv").content.decode(), newline="")))
    assert {row["course_id"] for row in rows} == set(COURSES)


@pytest.mark.parametrize(
    "path",
    [f"{VIEW}?fields=course_id", VIEW + "?sort=-course_id", "/realtime/video_viewers?until=2026-03-01T08:00:00Z"],
)
def test_a_spreadsheet_runs_nothing(peculiar, path):
    data = peculiar.get(f"{path}&format=csv&spreadsheet=true").content
    assert data.startswith(codecs.BOM_UTF8)
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert {row["course_id"] for row in rows} == {f"'{c}" if c in FORMULAS else c for c in COURSES}
    cells = [cell for row in rows for name, cell in row.items() if name in ("course_id", "user_id", "video_id")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))]


def test_numbers_of_a_spreadsheet_stay_numbers(peculiar):
    path = f"{VIEW}?fields=course_id,total_watch_seconds,total_watch_hours&sort=total_watch_seconds&format=csv"
    plain = peculiar.get(path).content.decode()
    safe = peculiar.get(f"{path}&spreadsheet=true").content.decode("utf-8-sig")
    numbers = [[row[1:] for row in csv.reader(io.StringIO(text, newline=""))] for text in (plain, safe)]
    assert numbers[0] == numbers[1] and len(numbers[0]) == len(COURSES) + 1
