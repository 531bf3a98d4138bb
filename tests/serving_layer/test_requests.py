"""What holds for every request: headers, HEAD, gzip, counts, refusals and the pages about the API."""

from __future__ import annotations

import re

import pytest

VIEW = "video_total_watch_time"


def test_unchanged_answers_are_304(http):
    first = http.get(f"/views/{VIEW}")
    again = http.get(f"/views/{VIEW}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    for names in ("*", f'"other", {first.headers["etag"]}', first.headers["etag"].removeprefix("W/")):
        assert http.get(f"/views/{VIEW}", headers={"If-None-Match": names}).status_code == 304, names
    assert http.get(f"/views/{VIEW}", headers={"If-None-Match": '"other"'}).status_code == 200
    assert http.get(f"/views/{VIEW}?limit=1", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_head_tells_what_get_would(http):
    got, told = http.get(f"/views/{VIEW}?limit=2"), http.head(f"/views/{VIEW}?limit=2")
    assert told.status_code == 200 and not told.content
    assert [told.headers[n] for n in ("etag", "content-type")] == [got.headers[n] for n in ("etag", "content-type")]
    assert http.head("/views/nothing").status_code == 404


@pytest.mark.parametrize(
    ("accepts", "zipped"),
    [("gzip", True), ("GZIP;q=0.5, br", True), ("*", True), ("gzip;q=0", False), ("identity", False), ("", False)],
)
def test_large_answers_are_zipped_for_who_accepts_it(http, accepts, zipped):
    answer = http.get(f"/views/{VIEW}", headers={"Accept-Encoding": accepts})
    assert (answer.headers.get("content-encoding") == "gzip") is zipped


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_needs_no_other_host(http, page):
    files = re.findall(r'(?:src|href)="([^"]+)"', http.get(page).text)
    assert any(file.endswith(".js") for file in files)
    assert [http.get(file).status_code for file in files] == [200] * len(files), files
    assert all(file.startswith("/") for file in files)


def test_every_request_is_counted(http):
    def counted() -> dict[str, float]:
        lines = [line for line in http.get("/metrics").text.splitlines() if line.startswith("serving_requests_total{")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    before = counted()
    for path in ("/views", f"/views/{VIEW}", "/views/nothing", "/realtime", "/health/live", "/nowhere"):
        http.get(path)
    more = {name: count - before.get(name, 0) for name, count in counted().items() if count != before.get(name, 0)}
    expected = {("/views", 200): 1, ("/views/{view}", 200): 1, ("/views/{view}", 404): 1, ("/realtime", 200): 1,
                ("/health/live", 200): 1, ("none", 404): 1, ("/metrics", 200): 1}  # fmt: skip
    # A file of the pages that were asked for before may be closed, and so counted, only now.
    more.pop('serving_requests_total{route="none",status="200"}', None)
    assert more == {f'serving_requests_total{{route="{r}",status="{s}"}}': n for (r, s), n in expected.items()}


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/views/nothing", 404, "nothing"),
        (f"/views/{VIEW}?nothing=1", 422, "nothing"),
        (f"/views/{VIEW}?user_id__like=1", 422, "user_id__like"),
        (f"/views/{VIEW}?total_watch_seconds=x", 422, "total_watch_seconds"),
        (f"/views/{VIEW}?total_watch_seconds=99999999999999999999", 422, "total_watch_seconds"),
        (f"/views/{VIEW}?total_watch_hours=nan", 422, "total_watch_hours"),
        ("/views/auth_daily_active_users?date=2026-3-1", 422, "date"),
        ("/views/auth_user_activity_summary?first_activity__gt=yesterday", 422, "first_activity__gt"),
        ("/views/auth_daily_active_users?date=2026-W10-1", 422, "date"),
        ("/views/auth_user_activity_summary?last_activity=2026-03-01", 422, "last_activity"),
        (
            "/views/auth_user_activity_summary?last_activity__gte=2026-03-01T08:00:00.1234567Z",
            422,
            "last_activity__gte",
        ),
        (f"/views/{VIEW}?total_watch_hours=1_0", 422, "total_watch_hours"),
        (f"/views/{VIEW}?total_watch_seconds=%201", 422, "total_watch_seconds"),
        (f"/views/{VIEW}?as_of_run=", 422, "as_of_run"),
        (f"/views/{VIEW}?limit=0", 422, "limit"),
        (f"/views/{VIEW}?limit=10001", 422, "limit"),
        (f"/views/{VIEW}?sort=-nothing", 422, "sort"),
        (f"/views/{VIEW}?fields=nothing", 422, "fields"),
        (f"/views/{VIEW}?fields=user_id,,course_id", 422, "fields"),
        (f"/views/{VIEW}?layer=middle", 422, "layer"),
        (f"/views/{VIEW}?format=xml", 422, "format"),
        (f"/views/{VIEW}?cursor=xyz", 422, "cursor"),
        (f"/views/{VIEW}?user_id__isnull=maybe", 422, "user_id__isnull"),
        (f"/views/{VIEW}?as_of_run=none", 404, "as_of_run"),
        (f"/views/{VIEW}?as_of_run=../x", 404, "as_of_run"),
        ("/realtime/nothing", 404, "nothing"),
        ("/realtime/active_users?minutes=0", 422, "minutes"),
        ("/realtime/active_users?until=noon", 422, "until"),
        ("/realtime/active_users?until=2026-03-01", 422, "until"),
        ("/realtime/active_users?minutes=1&minutes=2", 422, "minutes"),
        ("/nowhere", 404, "/nowhere"),
    ],
)
def test_bad_requests_name_what_is_wrong(http, path, status, name):
    answer = http.get(path)
    assert (answer.status_code, answer.json()["name"]) == (status, name)
    assert name in answer.json()["detail"] or name == "as_of_run" and "run" in answer.json()["detail"]
