"""The query API as its users see it: over HTTP, against the oracle and against its own documentation."""

from __future__ import annotations

import io
import time

import duckdb
import httpx
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from catalogue.at_rest.runs import current
from catalogue.views import VIEWS
from catalogue.views.columns import view_columns
from catalogue.views.windows import WINDOWS
from serving_layer.query import cursors
from serving_layer.query.parameters import LAYERS, parse
from tests.oracle.histories import landed
from tests.oracle.views import all_views

VIEW = "video_total_watch_time"


@pytest.fixture(scope="module")
def expected(server, http):
    head = http.get("/freshness").json()["head"]
    return all_views(landed(server.platform.covered(head)))


def plain(value):
    """An oracle's value as JSON gives it."""
    if hasattr(value, "isoformat"):
        text = value.isoformat()
        return text.replace("+00:00", "Z")
    return value


def same(want, got) -> bool:
    if isinstance(want, float):
        return got == pytest.approx(want)
    return plain(want) == got


def test_every_view_is_listed_with_its_columns(http):
    listed = {v["name"]: v for v in http.get("/views").json()["views"]}
    assert set(listed) == set(VIEWS)
    for name, view in listed.items():
        assert tuple(view["key"]) == VIEWS[name].key
        assert all(c["name"] and c["type"] and c["meaning"] for c in view["columns"])


@pytest.mark.parametrize("view", VIEWS)
def test_rows_are_the_oracles(http, expected, view):
    answer = http.get(f"/views/{view}", params={"limit": 10_000}).json()
    assert set(answer) == {"view", "columns", "rows", "total", "next", "as_of"}
    assert set(answer["as_of"]) == {"run", "cut", "head", "watermark", "lag_seconds"}
    assert answer["total"] == len(expected[view]) == len(answer["rows"]) and answer["next"] is None
    key = VIEWS[view].key

    def place(row):
        return tuple(str(plain(row[k])) for k in key)

    for want, got in zip(sorted(expected[view], key=place), sorted(answer["rows"], key=place), strict=True):
        assert list(want) == answer["columns"] == list(got)
        assert all(same(want[name], got[name]) for name in want), (want, got)


def test_filters_agree_with_a_query_over_all_rows(http, expected):
    rows = expected[VIEW]
    users = sorted({r["user_id"] for r in rows})
    cases = {
        f"user_id={users[0]}": lambda r: r["user_id"] == users[0],
        "total_watch_seconds__gte=181": lambda r: r["total_watch_seconds"] >= 181,
        "total_watch_seconds__lt=181&total_watch_seconds__gt=0": lambda r: 0 < r["total_watch_seconds"] < 181,
        "total_watch_minutes__lte=2.5": lambda r: r["total_watch_minutes"] <= 2.5,
        "video_id__in=VID001,VID002": lambda r: r["video_id"] in ("VID001", "VID002"),
        "video_id__isnull=true": lambda r: False,
        "user_id=nobody": lambda r: False,
    }
    for query, holds in cases.items():
        answer = http.get(f"/views/{VIEW}?{query}&limit=10000").json()
        assert answer["total"] == len(answer["rows"]) == sum(map(holds, rows)), query
    days = http.get("/views/auth_daily_active_users", params={"date__gte": "2026-03-02"}).json()
    assert days["total"] == sum(r["date"].isoformat() >= "2026-03-02" for r in expected["auth_daily_active_users"])
    seen = http.get("/views/auth_user_activity_summary", params={"last_activity__lt": "2026-03-02T00:00:00Z"}).json()
    assert seen["total"] == sum(
        r["last_activity"].isoformat() < "2026-03-02" for r in expected["auth_user_activity_summary"]
    )


def test_a_lookup_of_every_user_equals_the_whole(http, expected):
    for view in ("video_student_course_summary", "auth_user_session_metrics", "assessment_student_overall_performance"):
        found = 0
        for user in sorted({r["user_id"] for r in expected[view]}):
            answer = http.get(f"/views/{view}", params={"user_id": user, "limit": 10_000}).json()
            want = [r for r in expected[view] if r["user_id"] == user]
            assert answer["total"] == len(want)
            found += len(answer["rows"])
        assert found == len(expected[view])


@pytest.mark.parametrize(
    "sort", ["", "total_watch_seconds", "-total_watch_seconds,video_id", "-avg_watch_duration_seconds"]
)
def test_pages_make_up_the_whole(http, sort):
    whole = http.get(f"/views/{VIEW}", params={"sort": sort, "limit": 10_000}).json()
    rows, cursor = [], None
    while True:
        parameters = {"sort": sort, "limit": 7} | ({"cursor": cursor} if cursor else {})
        page = http.get(f"/views/{VIEW}", params=parameters).json()
        rows += page["rows"]
        cursor = page["next"]
        assert page["total"] == whole["total"]
        if not cursor:
            break
    assert rows == whole["rows"]
    if sort:
        name, down = sort.split(",")[0].lstrip("-"), sort.startswith("-")
        values = [r[name] for r in rows]
        assert values == sorted(values, reverse=down)


def test_a_cursor_may_stand_at_a_nul(http):
    query = parse([("sort", "user_id")], {"user_id": "VARCHAR"}, ("user_id",))
    cursor = cursors.encoded(query, {"user_id": "a\0b"}, "")
    again = parse([("sort", "user_id"), ("cursor", cursor)], {"user_id": "VARCHAR"}, ("user_id",))
    assert again.after == ("a\0b",)
    found = http.get(f"/views/{VIEW}", params={"user_id": "a\0b"})
    assert found.status_code == 200 and found.json()["total"] == len(found.json()["rows"]) > 0


def test_a_cursor_is_never_half_a_character(http):
    view = "course_overall_metrics"
    query = parse([], view_columns()[view], VIEWS[view].key)
    answer = http.get(f"/views/{view}", params={"cursor": cursors.encoded(query, {"course_id": "\ud800"}, "")})
    assert (answer.status_code, answer.json()["name"]) == (422, "cursor")


def test_formats_hold_the_same_rows(http):
    parameters = {"fields": "user_id,total_watch_seconds", "limit": 50}
    rows = http.get(f"/views/{VIEW}", params=parameters).json()["rows"]
    answers = {f: http.get(f"/views/{VIEW}", params={**parameters, "format": f}) for f in ("csv", "parquet", "arrow")}
    tables = {
        "csv": pacsv.read_csv(io.BytesIO(answers["csv"].content)),
        "parquet": pq.read_table(io.BytesIO(answers["parquet"].content)),
        "arrow": pa.ipc.open_stream(answers["arrow"].content).read_all(),
    }
    for name, table in tables.items():
        assert table.to_pylist() == rows, name
        assert int(answers[name].headers["x-total"]) > 0 and '"head"' in answers[name].headers["x-as-of"]
    times = http.get("/views/auth_user_activity_summary", params={"format": "csv"}).text
    assert "Z" in times.splitlines()[1]


def test_an_older_run_can_be_read(server, http):
    run = current(server.platform.batch)[0].run
    old = http.get(f"/views/{VIEW}", params={"as_of_run": run, "limit": 10_000}).json()
    batch = http.get(f"/views/{VIEW}", params={"layer": "batch", "limit": 10_000}).json()
    assert old["rows"] == batch["rows"] and old["as_of"]["run"] == run
    assert old["as_of"]["head"] == old["as_of"]["cut"] == batch["as_of"]["cut"]


def test_the_batch_layer_ends_at_the_cut(http):
    covers = {layer: http.get(f"/views/{VIEW}", params={"layer": layer}).json()["as_of"] for layer in LAYERS}
    batch, merged = covers["batch"], covers["merged"]
    assert batch["head"] == batch["cut"] == merged["cut"] != merged["head"] == covers["speed"]["head"]
    assert batch["watermark"] < merged["watermark"] and batch["lag_seconds"] > merged["lag_seconds"]


def test_the_ledger_closes(http):
    fresh = http.get("/freshness").json()
    assert fresh["run"] and fresh["lag_seconds"] is not None
    for topic, partitions in fresh["ledger"].items():
        for partition, entry in partitions.items():
            assert entry["landed"] == entry["counted"] + entry["duplicate"] + entry["invalid"]
            assert entry["landed"] <= fresh["head"][topic][partition]
            assert fresh["cut"][topic].get(partition, 0) <= fresh["head"][topic][partition]


def test_windows_are_a_count_of_their_events(server, http):
    listed = {w["name"] for w in http.get("/realtime").json()["windows"]}
    assert listed == set(WINDOWS)
    assert all(w["meaning"] for w in http.get("/realtime").json()["windows"])
    # The history's events begin at this minute; the deltas hold some of them.
    until = "2026-03-02T07:00:00Z"
    for name in WINDOWS:
        answer = http.get(f"/realtime/{name}", params={"until": until, "minutes": 2880})
        assert answer.status_code == 200 and answer.json()["columns"][0] == "minute"
        covers = answer.json()["as_of"]
        assert list(covers) == ["head", "complete_from", "until"] and covers["head"]
        table = http.get(f"/realtime/{name}", params={"until": until, "minutes": 2880, "format": "arrow"})
        assert table.headers["x-total"] == str(answer.json()["total"]) and '"head"' in table.headers["x-as-of"]
    categories = http.get("/realtime/events_by_category", params={"until": until, "minutes": 2880}).json()["rows"]
    types = http.get("/realtime/events_by_type", params={"until": until, "minutes": 2880}).json()["rows"]
    assert sum(r["event_count"] for r in categories) == sum(r["event_count"] for r in types) > 0


def test_metrics_and_health(http):
    assert http.get("/health/live").status_code == http.get("/health/ready").status_code == 200
    text = http.get("/metrics").text
    for name in (
        "serving_requests_total",
        "serving_request_seconds_bucket",
        "serving_delta_apply_seconds_count",
        "serving_cut_age_seconds",
        "serving_view_rows",
        "serving_head_offset",
        "serving_ready 1.0",
        "serving_run_waits 0.0",
    ):
        assert name in text


def test_the_documentation_holds(server):
    """Whatever its OpenAPI allows is answered as it says, and never with a 500."""
    schema = schemathesis.openapi.from_url(f"{server.address}/openapi.json")
    deadline = time.monotonic() + 40
    for operation in schema.get_all_operations():

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.ok().as_strategy())
        def answered(case):
            # Rules between fields: one of an export's two parameters, words for a note but not for a contact.
            unsaid = [positive_data_acceptance] if case.path.startswith(("/export/", "/advice")) else []
            if time.monotonic() < deadline:
                case.call_and_validate(excluded_checks=unsaid)

        answered()


def test_a_page_stays_as_it_was_while_events_arrive(server, http):
    view = "course_daily_engagement"
    whole = http.get(f"/views/{view}", params={"sort": "-event_count", "limit": 10_000}).json()
    page = http.get(f"/views/{view}", params={"sort": "-event_count", "limit": 5}).json()
    rows = page["rows"]
    server.platform.micro_batch(0.5)
    deadline = time.monotonic() + 20
    while http.get("/freshness").json()["head"]["course_topic"] == whole["as_of"]["head"]["course_topic"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while page["next"]:
        page = http.get(f"/views/{view}", params={"sort": "-event_count", "limit": 50, "cursor": page["next"]}).json()
        assert page["as_of"]["head"]["course_topic"] == whole["as_of"]["head"]["course_topic"]
        rows += page["rows"]
    assert rows == whole["rows"]


def test_a_damaged_delta_leaves_the_last_good_state(server, http):
    platform = server.platform
    before = http.get(f"/views/{VIEW}").json()["as_of"]["head"]["video_topic"]
    number = platform.speed.deltas.number + 1
    path = f"_deltas/{number:020}.json"
    platform.speed_store.write(path, b"{broken")
    deadline = time.monotonic() + 20
    while http.get("/health/ready").status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "serving_ready 0.0" in http.get("/metrics").text
    answer = http.get(f"/views/{VIEW}", params={"limit": 1})
    assert answer.status_code == 200 and answer.json()["as_of"]["head"]["video_topic"] == before
    platform.speed_store.delete([path])
    while http.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline + 20
        time.sleep(0.1)


def test_duckdb_reads_the_parquet_answer(server, tmp_path):
    file = tmp_path / "answer.parquet"
    file.write_bytes(httpx.get(f"{server.address}/views/{VIEW}?format=parquet").content)
    assert duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall()[0][0] > 0
