"""Attacks by hand: what somebody would try who wants rows of others."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest

from catalogue.at_rest.runs import current
from catalogue.views import VIEWS
from catalogue.views.windows import WINDOWS
from serving_layer.identity.roster import Roster
from serving_layer.state.person_rows import PersonRows
from serving_layer.state.topic_state import TopicState
from tests.oracle.histories import PEOPLE, POOLS
from tests.serving_layer.identity.conftest import PERSONS, Person, arrow_rows
from tests.serving_layer.identity.model import pseudonym
from tests.serving_layer.identity.triples import Triples

ADMIN = PERSONS[0]
ANALYST = Person("analyst", "")
STUDENT, OTHER = Person("student", "SV001"), Person("student", "foreign/ü ☃")
LECTURER, NOBODY = Person("lecturer", "GV001"), Person("lecturer", "GV999")
ADVISER = Person("adviser", "AD001")
VIEW = "video_total_watch_time"
PATH = f"/views/{VIEW}"


def rows(answer) -> list[dict]:
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


@pytest.mark.parametrize("path", ["/views", PATH, "/realtime", "/realtime/active_users", "/freshness", "/metrics"])
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer x", "Bearer la_", "Bearer la_000000000000_x", "Basic YWRtaW46YWRtaW4=",
     "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4Iiwicm9sZSI6ImFkbWluIn0."],
)  # fmt: skip
def test_without_a_key_nothing_is_answered(closed, path, header):
    answer = closed.http.get(path, headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["name"] == "authorization"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_says_who_is_let_in(closed, path):
    answer = closed.http.get(path)
    assert answer.status_code == 200 and answer.json()["authentication"] == "required"


def test_a_key_of_another_secret_opens_nothing(closed):
    key = closed.keys[ADMIN]
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "B"), key[:-1], key + "A", key.split("_")[1], key.upper()):
        assert closed.http.get(PATH, headers={"Authorization": f"Bearer {wrong}"}).status_code == 401


def test_a_cursor_of_another_shows_nothing_of_theirs(closed):
    """Its snapshot is the other's; its position is a place in one's own rows."""
    for owner in (ADMIN, LECTURER, OTHER, ANALYST):
        cursor = closed.get(owner, f"{PATH}?limit=1").json()["next"]
        if cursor is None:
            continue
        stolen = closed.get(STUDENT, f"{PATH}?limit=10000&cursor={cursor}")
        assert {row["user_id"] for row in rows(stolen)} <= {"SV001"}
        mine = closed.get(STUDENT, f"{PATH}?limit=10000").json()
        assert stolen.json()["total"] == mine["total"]


def test_a_forged_cursor_is_a_place_in_ones_own_rows(closed):
    cursor = closed.get(ADMIN, f"{PATH}?limit=1").json()["next"]
    shape, snapshot, position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for place in (["", "", ""], [None, None, None], ["SV", "", ""]):
        forged = base64.urlsafe_b64encode(json.dumps([shape, snapshot, place]).encode()).decode().rstrip("=")
        answer = closed.get(STUDENT, f"{PATH}?cursor={forged}")
        if answer.status_code == 200:
            assert {row["user_id"] for row in rows(answer)} <= {"SV001"}


def test_filters_and_sorts_over_others_say_nothing(closed):
    others = ",".join(quote(f'"{p}"') for p in PEOPLE if p != "SV001")
    for query in (f"user_id__in={others}", "user_id__gt=SV001", "user_id=SV002", "user_id__lt=SV001"):
        for tail in ("", "&sort=-total_watch_seconds", "&fields=total_watch_seconds", "&layer=batch", "&layer=speed"):
            answer = closed.get(STUDENT, f"{PATH}?{query}{tail}").json()
            assert (answer["rows"], answer["total"], answer["next"]) == ([], 0, None)
    everyone = closed.get(ADMIN, f"{PATH}?limit=10000").json()
    answer = closed.get(STUDENT, f"{PATH}?sort=-total_watch_seconds&fields=total_watch_seconds").json()
    assert 0 < answer["total"] < everyone["total"]
    assert answer["total"] == sum(row["user_id"] == "SV001" for row in everyone["rows"])


def test_a_tag_of_another_is_none_of_mine(closed):
    for owner in (ADMIN, LECTURER, OTHER, ANALYST):
        theirs = closed.get(owner, PATH).headers["etag"]
        answer = closed.get(STUDENT, PATH, **{"If-None-Match": theirs})
        assert answer.status_code == 200 and {row["user_id"] for row in rows(answer)} == {"SV001"}
    mine = closed.get(STUDENT, PATH).headers["etag"]
    assert closed.get(STUDENT, PATH, **{"If-None-Match": mine}).status_code == 304
    assert closed.get(NOBODY, PATH, **{"If-None-Match": "*"}).status_code == 403


def test_no_cache_between_gives_one_s_answer_to_another(closed):
    for person in (ADMIN, STUDENT, NOBODY):
        headers = closed.get(person, PATH).headers
        assert "private" in headers["cache-control"] and "authorization" in headers["vary"].lower()


@pytest.mark.parametrize("person", [STUDENT, LECTURER, ADVISER, ANALYST])
def test_formats_hold_no_more(closed, person):
    wanted = rows(closed.get(person, f"{PATH}?limit=10000"))
    for form, read in (
        ("arrow", arrow_rows),
        ("parquet", lambda answer: pq.read_table(io.BytesIO(answer.content)).to_pylist()),
    ):
        answer = closed.get(person, f"{PATH}?limit=10000&format={form}")
        assert read(answer) == wanted and answer.headers["x-total"] == str(len(wanted))
    for safe in ("", "&spreadsheet=true"):
        text = closed.get(person, f"{PATH}?limit=10000&format=csv{safe}").text
        hidden = {p for p in PEOPLE if p not in {row["user_id"] for row in wanted} and p.isalnum()}
        assert not [p for p in hidden if f'"{p}"' in text]


def test_older_runs_are_seen_by_the_same_rule(closed):
    run = current(closed.server.platform.batch)[0].run
    for person in (STUDENT, LECTURER, ADVISER, ANALYST):
        old = rows(closed.get(person, f"{PATH}?as_of_run={run}&limit=10000"))
        assert old == rows(closed.get(person, f"{PATH}?layer=batch&limit=10000"))
    assert closed.get(NOBODY, f"{PATH}?as_of_run={run}").status_code == 403
    assert closed.get(NOBODY, f"{PATH}?as_of_run=none").status_code == 403, "not even which runs there are"


def test_analysts_see_pseudonyms_everywhere(closed):
    real = rows(closed.get(ADMIN, f"{PATH}?limit=10000"))
    names = {row["user_id"]: pseudonym(row["user_id"]) for row in real}
    seen = rows(closed.get(ANALYST, f"{PATH}?limit=10000"))
    assert {row["user_id"] for row in seen} == set(names.values()) and len(seen) == len(real)
    for person, name in names.items():
        found = rows(closed.get(ANALYST, f"{PATH}?user_id={name}&limit=10000"))
        assert len(found) == sum(row["user_id"] == person for row in real)
        assert closed.get(ANALYST, f"{PATH}?user_id={quote(person)}").json()["total"] == 0
    page = closed.get(ANALYST, f"{PATH}?limit=1").json()
    position = base64.urlsafe_b64decode(page["next"] + "==").decode(errors="replace")
    assert not [p for p in names if p in position]


@pytest.mark.parametrize("person", [STUDENT, LECTURER, ADVISER])
def test_small_groups_are_not_shown(closed, person):
    path = "/views/notification_daily_activity"
    every = rows(closed.get(ADMIN, f"{path}?limit=10000"))
    seen = closed.get(person, f"{path}?limit=10000").json()
    assert seen["rows"] == [row for row in every if row["unique_users"] >= 5] and len(seen["rows"]) < len(every)
    assert seen["total"] == len(seen["rows"])
    assert closed.get(person, f"{path}?unique_users__lt=5").json()["total"] == 0
    for other in ("layer=batch", "layer=speed", f"as_of_run={current(closed.server.platform.batch)[0].run}"):
        assert closed.get(person, f"{path}?{other}").status_code == 403
    assert closed.get(person, "/views/auth_hourly_login_patterns").status_code == 403, "nothing says how many people"


def test_windows_follow_the_same_rules(closed):
    span = "until=2026-03-02T07:00:00Z&minutes=2880"
    every = {name: rows(closed.get(ADMIN, f"/realtime/{name}?{span}")) for name in WINDOWS}
    taught = rows(closed.get(LECTURER, f"/realtime/video_viewers?{span}"))
    assert taught == [row for row in every["video_viewers"] if row["course_id"] == "COURSE001"] and taught
    other = quote(POOLS["course_id"][1])
    assert closed.get(LECTURER, f"/realtime/video_viewers?{span}&course_id={other}").json()["total"] == 0
    for person in (STUDENT, ADVISER, NOBODY):
        assert closed.get(person, f"/realtime/video_viewers?{span}").status_code == 403
    for person in (STUDENT, LECTURER, ADVISER):
        shown = rows(closed.get(person, f"/realtime/active_users?{span}"))
        assert shown == [row for row in every["active_users"] if row["last_5_minutes"] >= 5]
        for name in ("events_by_type", "events_by_category", "concurrent_sessions", "failed_logins"):
            assert closed.get(person, f"/realtime/{name}?{span}").status_code == 403
    assert rows(closed.get(ANALYST, f"/realtime/video_viewers?{span}")) == every["video_viewers"]


def test_errors_tell_nothing_of_others(closed):
    for query in ("nothing=1", "sort=nothing", "limit=0", "cursor=x"):
        answer = closed.get(NOBODY, f"{PATH}?{query}")
        assert answer.status_code == 403
        answer = closed.get(STUDENT, f"{PATH}?{query}")
        assert answer.status_code == 422 and not [p for p in PEOPLE if p.isalnum() and p in answer.text]


def test_metrics_are_for_who_sees_everyone(closed):
    assert closed.get(ADMIN, "/metrics").status_code == closed.get(Person("service", ""), "/metrics").status_code == 200
    for person in (ANALYST, LECTURER, ADVISER, STUDENT):
        answer = closed.get(person, "/metrics")
        assert answer.status_code == 403 and "serving_view_rows" not in answer.text


def test_head_and_gzip_tell_no_more(closed):
    mine = closed.get(STUDENT, f"{PATH}?user_id=SV002", **{"Accept-Encoding": "gzip"})
    nobodys = closed.get(STUDENT, f"{PATH}?user_id=SV998", **{"Accept-Encoding": "gzip"})
    assert rows(mine) == rows(nobodys) == []
    lengths = {answer.headers["content-length"] for answer in (mine, nobodys)}
    assert max(map(int, lengths)) - min(map(int, lengths)) <= 2, "lag_seconds alone has more or fewer digits"
    told = closed.http.head(PATH, headers={"Authorization": f"Bearer {closed.keys[NOBODY]}"})
    assert told.status_code == 403


@pytest.mark.parametrize("view", VIEWS)
def test_a_lecturer_without_courses_sees_no_rows(closed, view):
    answer = closed.get(NOBODY, f"/views/{view}")
    if answer.status_code == 200:
        assert not {"user_id", "student_id", "course_id"} & set(VIEWS[view].key)


def test_nothing_that_is_at_hand_of_others_is_looked_at(tmp_path, monkeypatch):
    """Whether rows of a person are ready, and whether deltas touched them, would be told by the time that it takes."""
    looked: list[str] = []
    at_hand, relation = PersonRows.rows, TopicState.relation

    def spied_rows(rows, person, *rest):
        looked.append(person)
        return at_hand(rows, person, *rest)

    def spied_relation(state, cursor, name, layer, number, shard=None):
        looked.append(shard)
        return relation(state, cursor, name, layer, number, shard)

    monkeypatch.setattr(PersonRows, "rows", spied_rows)
    monkeypatch.setattr(TopicState, "relation", spied_relation)
    triples = Triples(tmp_path, 5)
    triples.app.state.gate._roster = Roster(1, {}, {"AD001": frozenset({"SV002"})})

    async def ask() -> None:
        for person, own in ((STUDENT, "SV001"), (ADVISER, "SV002")):
            for other in (*PEOPLE, "SV999"):
                for tail in ("", "&sort=-total_watch_seconds", "&format=csv", "&layer=batch"):
                    looked.clear()
                    status, _, _ = await triples.get(person, PATH, f"user_id={quote(other)}{tail}")
                    assert status == 200 and {*looked} - {None} == {own}, (person, other, tail, looked)
        looked.clear()
        await triples.get(ADMIN, PATH, "user_id=SV002")
        assert "SV002" in looked

    asyncio.run(ask())


STRANGE = ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "localhost.", "[::", "a@b"]


@pytest.mark.parametrize("host", STRANGE)
def test_no_page_of_another_name_reads_what_is_open_to_this_machine(http, host):
    """A name of somebody's that leads to 127.0.0.1 makes their page one of ours to a browser."""
    for path in (PATH, "/views", "/freshness", "/realtime/active_users", "/quarantine", "/export/xapi?student=SV001"):
        answer = http.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["name"]) == (403, "host"), path
    sent = {"student": "SV001", "kind": "contacted"}
    assert http.post("/advice", json=sent, headers={"Host": host}).status_code == 403


OURS = ["localhost", "localhost:1", "127.0.0.1", "127.8.9.1:80", "[::1]:8000", "la.localhost:8000"]


@pytest.mark.parametrize("host", OURS)
def test_names_of_this_machine_are_known(http, host):
    assert http.get(PATH, headers={"Host": host}).status_code == 200
