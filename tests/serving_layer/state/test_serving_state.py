"""What serving does when objects are damaged, missing, late or go back: the last good state serves, and it says so."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
import uvicorn

from catalogue.at_rest.deltas import manifest_path
from catalogue.at_rest.runs import current
from deployment.ports import free_port
from runtime.storage.opening import open_store
from serving_layer.application import create_app
from tests.laws.test_merged import Platform
from tests.oracle.histories import history

VIEW = "video_total_watch_time"
LIMIT = 90


class Mirror:
    """A server over a copy of a platform's folders, to which objects are brought whole, damaged or not at all."""

    def __init__(self, platform: Platform, folder: Path):
        self.platform = platform.copied(folder / "made")
        self.root = folder / "served"
        self.source, self.served = open_store(str(folder / "made")), open_store(str(self.root))
        self.bring()
        batch, speed = str(self.root / "batch_views"), str(self.root / "speed_views")
        self.app = create_app(replace(self.platform.settings, batch_views=batch, speed_views=speed))
        self.address = f"http://127.0.0.1:{free_port()}"

    def bring(self, spoilt: str = "", how: str = "damaged") -> None:
        """Copy what is new, in an order that makes nothing visible too early; the object at `spoilt` as `how` says."""
        last = ("_deltas/", "_current.json")
        paths = [e.path for e in self.source.list() if e.path.split("/")[0] in ("batch_views", "speed_views")]
        for path in sorted(paths, key=lambda p: [sign in p for sign in last[::-1]] + [p]):
            data = self.source.read(path)
            if path.endswith(spoilt) and spoilt:
                if how == "missing":
                    self.served.delete([path])
                    continue
                data = b"null" if how == "null" else data[: len(data) // 2]
            self.served.write(path, data)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.address + path, timeout=30)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer while this lasts, from threads of this process: a process of its own would take longer to begin."""
        port = urlsplit(self.address).port or 0
        server = uvicorn.Server(uvicorn.Config(self.app, port=port, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            until(lambda: server.started, "it must listen")
            until(self.ready, "it must be ready")
            yield
        finally:
            server.should_exit = True
            thread.join()

    def ready(self) -> bool:
        return self.get("/health/ready").status_code == 200

    def head(self) -> dict:
        return self.get("/freshness").json()["head"]


@pytest.fixture(scope="module")
def platform(tmp_path_factory) -> Platform:
    """A published run with two deltas, of which every mirror begins with a copy."""
    made = Platform(tmp_path_factory.mktemp("platform"), history(21, 1500), 21)
    made.micro_batch(0.4)
    made.run_batch(at_boundary=True)
    made.micro_batch(0.3)
    return made


@pytest.fixture
def mirror(platform, tmp_path) -> Iterator[Mirror]:
    made = Mirror(platform, tmp_path)
    with made.serving():
        yield made


def until(holds, what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline, f"{what} within {LIMIT} s"
        time.sleep(0.1)


def wanted(platform: Platform) -> dict:
    return {t: dict(head) for t, head in platform.speed.head.items()}


@pytest.mark.parametrize("how", ["damaged", "missing", "null"])
@pytest.mark.parametrize(
    "path", ["_current.json", f"{VIEW}/run=r002/part-00000.parquet", "_state/video_topic/run=r002/ids-recent.parquet"]
)
def test_a_bad_run_takes_over_when_it_is_whole(mirror, path, how):
    head = mirror.head()
    mirror.platform.run_batch(at_boundary=True)
    mirror.bring(path, how)
    until(lambda: not mirror.ready(), "it must be told")
    assert "serving_ready 0.0" in mirror.get("/metrics").text
    detail = mirror.get("/health/ready").json()["detail"]
    assert "the last good state is served" in detail and Path(path).name in detail and "/serving-" not in detail
    answer = mirror.get(f"/views/{VIEW}").json()
    assert answer["as_of"]["run"] == "r001" and answer["as_of"]["head"] == head
    mirror.platform.micro_batch(0.3)
    mirror.bring(path, how)
    until(lambda: mirror.head() == wanted(mirror.platform), "deltas must be followed meanwhile")
    mirror.bring()
    until(lambda: mirror.get("/freshness").json()["run"] == "r002" and mirror.ready(), "the run must take over")


def test_it_is_ready_when_a_bad_run_is_not_published_any_more(mirror):
    """The same object stands there again, by the same tag, as a store gives it that makes tags of the content."""
    published, beside = mirror.root / "batch_views" / "_current.json", mirror.root / "beside"
    os.link(published, beside)
    mirror.platform.run_batch(at_boundary=True)
    mirror.bring("_state/video_topic/run=r002/ids-recent.parquet")
    until(lambda: not mirror.ready(), "it must be told")
    os.replace(beside, published)
    until(mirror.ready, "it must be ready")
    assert mirror.get("/freshness").json()["run"] == "r001"


def test_a_kept_run_is_read_again_when_it_is_whole(mirror):
    file = mirror.root / "batch_views" / VIEW / "run=r001" / "part-00000.parquet"
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    damaged = mirror.get(f"/views/{VIEW}?as_of_run=r001")
    assert damaged.status_code == 503 and f"{VIEW}/run=r001/part-00000.parquet" in damaged.json()["detail"]
    file.unlink()
    missing = mirror.get(f"/views/{VIEW}?as_of_run=r001")
    assert missing.status_code == 503 and f"{VIEW}/run=r001/part-00000.parquet" in missing.json()["detail"]
    file.write_bytes(data)
    assert mirror.get(f"/views/{VIEW}?as_of_run=r001").status_code == 200


@pytest.mark.parametrize("how", ["damaged", "missing"])
@pytest.mark.parametrize("kind", ["manifest", "data"])
def test_a_bad_delta_is_followed_when_it_is_whole(mirror, kind, how):
    head, number = mirror.head(), mirror.platform.speed.deltas.number + 1
    mirror.platform.micro_batch(0.3)
    mirror.platform.micro_batch(0.3)
    path = manifest_path(number) if kind == "manifest" else mirror.platform.speed.deltas.all[number - 1].data
    mirror.bring(path, how)
    until(lambda: not mirror.ready(), "it must be told")
    assert "serving_ready 0.0" in mirror.get("/metrics").text
    assert mirror.get(f"/views/{VIEW}").json()["as_of"]["head"] == head
    mirror.bring()
    until(lambda: mirror.head() == wanted(mirror.platform) and mirror.ready(), "deltas must be followed")


def test_pages_agree_across_deltas_and_a_run_swap(mirror):
    def page(cursor=None, **more):
        parameters = {"sort": "-total_watch_seconds", "limit": 1} | ({"cursor": cursor} if cursor else {}) | more
        return httpx.get(f"{mirror.address}/views/{VIEW}", params=parameters, timeout=30).json()

    whole = page(limit=10_000)
    first = page()
    rows, following = first["rows"], first["next"]
    for step in range(3):
        if step == 1:
            mirror.platform.micro_batch(0.4)
        if step == 2:
            mirror.platform.run_batch(at_boundary=True)
        mirror.bring()
        until(lambda: mirror.head() == wanted(mirror.platform), "deltas must be followed")
        run = current(mirror.platform.batch)[0].run
        until(lambda run=run: mirror.get("/freshness").json()["run"] == run, "the run must take over")
        assert following
        answer = page(following)
        assert answer["as_of"]["run"] == "r001"
        assert answer["as_of"]["head"]["video_topic"] == whole["as_of"]["head"]["video_topic"]
        rows, following = rows + answer["rows"], answer["next"]
    while following:
        answer = page(following)
        rows, following = rows + answer["rows"], answer["next"]
    assert rows == whole["rows"]
    assert page()["as_of"]["run"] == "r002"


def test_a_cursor_belongs_to_its_query(mirror):
    cursor = mirror.get(f"/views/{VIEW}?limit=5").json()["next"]
    for other in ("user_id=SV001", "layer=batch", "sort=-total_watch_seconds"):
        answer = mirror.get(f"/views/{VIEW}?limit=5&{other}&cursor={cursor}")
        assert (answer.status_code, answer.json()["name"]) == (422, "cursor")
    assert mirror.get(f"/views/{VIEW}?limit=7&fields=user_id&cursor={cursor}").status_code == 200


def test_the_pages_of_one_user_agree(mirror):
    users = [row["user_id"] for row in mirror.get(f"/views/{VIEW}?limit=10000&fields=user_id").json()["rows"]]
    user = max(users, key=users.count)
    whole = mirror.get(f"/views/{VIEW}?user_id={quote(user)}&limit=1000").json()
    first = mirror.get(f"/views/{VIEW}?user_id={quote(user)}&limit=1").json()
    assert len(whole["rows"]) > 1 and first["next"]
    mirror.platform.micro_batch(1.0)
    mirror.bring()
    until(lambda: mirror.head() == wanted(mirror.platform), "deltas must be followed")
    rest = mirror.get(f"/views/{VIEW}?user_id={quote(user)}&limit=1000&cursor={first['next']}").json()
    assert first["rows"] + rest["rows"] == whole["rows"]
