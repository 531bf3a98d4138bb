"""What serving does when objects are damaged, missing, late or go back: the last good state serves, and it says so."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

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
    """A server over a folder, to which the objects of platforms are brought whole, damaged or not at all."""

    def __init__(self, platform: Platform, folder: Path):
        self.root = folder
        self.served = open_store(str(self.root))
        self.bring(platform)
        batch, speed = str(self.root / "batch_views"), str(self.root / "speed_views")
        self.app = create_app(replace(platform.settings, batch_views=batch, speed_views=speed))
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{free_port()}", timeout=30)

    def bring(self, platform: Platform, spoilt: str = "", how: str = "damaged") -> None:
        """Copy what it has published, in an order that makes nothing visible too early; `spoilt` as `how` says."""
        source, last = open_store(str(platform.folder)), ("_deltas/", "_current.json")
        paths = [e.path for e in source.list() if e.path.split("/")[0] in ("batch_views", "speed_views")]
        for path in sorted(paths, key=lambda p: [sign in p for sign in last[::-1]] + [p]):
            data = source.read(path)
            if path.endswith(spoilt) and spoilt:
                if how == "missing":
                    self.served.delete([path])
                    continue
                data = b"null" if how == "null" else data[: len(data) // 2]
            self.served.write(path, data)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer while this lasts, from threads of this process: a process of its own would take longer to begin."""
        port = self.client.base_url.port or 0
        server = uvicorn.Server(uvicorn.Config(self.app, port=port, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            until(lambda: server.started, "it must listen")
            until(self.ready, "it must be ready")
            yield
        finally:
            self.client.close()
            server.should_exit = True
            thread.join()

    def ready(self) -> bool:
        return self.get("/health/ready").status_code == 200

    def head(self) -> dict:
        return self.get("/freshness").json()["head"]


@dataclass(frozen=True)
class Stages:
    """A platform as it was published one time after the other: later ones have all of the earlier, and more."""

    begun: Platform
    deltas: Platform
    run: Platform
    more: Platform


@pytest.fixture(scope="module")
def stages(tmp_path_factory) -> Stages:
    """A published run with two deltas, two deltas on top, a second run, and a delta after it."""
    folder = tmp_path_factory.mktemp("stages")
    begun = Platform(folder / "begun", history(21, 1000), 21)
    begun.micro_batch(0.4)
    begun.run_batch(at_boundary=True)
    begun.micro_batch(0.3)
    deltas = begun.copied(folder / "deltas")
    deltas.micro_batch(0.5)
    deltas.micro_batch(0.5)
    run = deltas.copied(folder / "run")
    run.run_batch(at_boundary=True)
    more = run.copied(folder / "more")
    more.micro_batch(0.3)
    return Stages(begun, deltas, run, more)


@pytest.fixture
def mirror(stages, tmp_path) -> Iterator[Mirror]:
    """A server of the first stage."""
    made = Mirror(stages.begun, tmp_path)
    with made.serving():
        yield made


@pytest.fixture
def later(stages, tmp_path) -> Iterator[Mirror]:
    """A server of the stage before the second run."""
    made = Mirror(stages.deltas, tmp_path)
    with made.serving():
        yield made


@pytest.fixture(scope="module")
def unchanged(stages, tmp_path_factory) -> Iterator[Mirror]:
    """A server of the first stage for tests that leave it as it is."""
    made = Mirror(stages.begun, tmp_path_factory.mktemp("unchanged"))
    with made.serving():
        yield made


def until(holds, what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline, f"{what} within {LIMIT} s"
        time.sleep(0.05)


def wanted(platform: Platform) -> dict:
    return {t: dict(head) for t, head in platform.speed.head.items()}


@pytest.mark.parametrize("how", ["damaged", "missing", "null"])
@pytest.mark.parametrize(
    "path", ["_current.json", f"{VIEW}/run=r002/part-00000.parquet", "_state/video_topic/run=r002/ids-recent.parquet"]
)
def test_a_bad_run_takes_over_when_it_is_whole(stages, later, path, how):
    head = later.head()
    later.bring(stages.run, path, how)
    until(lambda: not later.ready(), "it must be told")
    assert "serving_ready 0.0" in later.get("/metrics").text
    detail = later.get("/health/ready").json()["detail"]
    assert "the last good state is served" in detail and Path(path).name in detail and "/serving-" not in detail
    answer = later.get(f"/views/{VIEW}").json()
    assert answer["as_of"]["run"] == "r001" and answer["as_of"]["head"] == head
    later.bring(stages.more, path, how)
    until(lambda: later.head() == wanted(stages.more) != head, "deltas must be followed meanwhile")
    later.bring(stages.more)
    until(lambda: later.get("/freshness").json()["run"] == "r002" and later.ready(), "the run must take over")


def test_it_is_ready_when_a_bad_run_is_not_published_any_more(stages, later):
    """The same object stands there again, by the same tag, as a store gives it that makes tags of the content."""
    published, beside = later.root / "batch_views" / "_current.json", later.root / "beside"
    os.link(published, beside)
    later.bring(stages.run, "_state/video_topic/run=r002/ids-recent.parquet")
    until(lambda: not later.ready(), "it must be told")
    os.replace(beside, published)
    until(later.ready, "it must be ready")
    assert later.get("/freshness").json()["run"] == "r001"


def test_a_kept_run_is_read_again_when_it_is_whole(unchanged):
    file = unchanged.root / "batch_views" / VIEW / "run=r001" / "part-00000.parquet"
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    damaged = unchanged.get(f"/views/{VIEW}?as_of_run=r001")
    assert damaged.status_code == 503 and f"{VIEW}/run=r001/part-00000.parquet" in damaged.json()["detail"]
    file.unlink()
    missing = unchanged.get(f"/views/{VIEW}?as_of_run=r001")
    assert missing.status_code == 503 and f"{VIEW}/run=r001/part-00000.parquet" in missing.json()["detail"]
    file.write_bytes(data)
    assert unchanged.get(f"/views/{VIEW}?as_of_run=r001").status_code == 200


@pytest.mark.parametrize("how", ["damaged", "missing"])
@pytest.mark.parametrize("kind", ["manifest", "data"])
def test_a_bad_delta_is_followed_when_it_is_whole(stages, mirror, monkeypatch, kind, how):
    # Only the list of all deltas tells that one is missing.
    monkeypatch.setattr("serving_layer.state.serving_state.RELIST_SECONDS", 0.5)
    head, number = mirror.head(), stages.begun.speed.deltas.number + 1
    path = manifest_path(number) if kind == "manifest" else stages.deltas.speed.deltas.all[number - 1].data
    mirror.bring(stages.deltas, path, how)
    until(lambda: not mirror.ready(), "it must be told")
    assert "serving_ready 0.0" in mirror.get("/metrics").text
    assert mirror.get(f"/views/{VIEW}").json()["as_of"]["head"] == head
    mirror.bring(stages.deltas)
    until(lambda: mirror.head() == wanted(stages.deltas) != head and mirror.ready(), "deltas must be followed")


def test_pages_agree_across_deltas_and_a_run_swap(stages, mirror):
    def page(cursor=None, **more):
        parameters = {"sort": "-total_watch_seconds", "limit": 1} | ({"cursor": cursor} if cursor else {}) | more
        return mirror.client.get(f"/views/{VIEW}", params=parameters).json()

    whole = page(limit=10_000)
    first = page()
    rows, following = first["rows"], first["next"]
    for stage in (stages.begun, stages.deltas, stages.run):
        mirror.bring(stage)
        until(lambda stage=stage: mirror.head() == wanted(stage), "deltas must be followed")
        run = current(stage.batch)[0].run
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


def test_a_cursor_belongs_to_its_query(unchanged):
    cursor = unchanged.get(f"/views/{VIEW}?limit=5").json()["next"]
    for other in ("user_id=SV001", "layer=batch", "sort=-total_watch_seconds"):
        answer = unchanged.get(f"/views/{VIEW}?limit=5&{other}&cursor={cursor}")
        assert (answer.status_code, answer.json()["name"]) == (422, "cursor")
    assert unchanged.get(f"/views/{VIEW}?limit=7&fields=user_id&cursor={cursor}").status_code == 200


def test_the_pages_of_one_user_agree(stages, mirror):
    users = [row["user_id"] for row in mirror.get(f"/views/{VIEW}?limit=10000&fields=user_id").json()["rows"]]
    user = max(users, key=users.count)
    path = f"/views/{VIEW}?user_id={quote(user)}&limit=1000"
    whole = mirror.get(path).json()
    first = mirror.get(f"/views/{VIEW}?user_id={quote(user)}&limit=1").json()
    assert len(whole["rows"]) > 1 and first["next"]
    mirror.bring(stages.deltas)
    until(lambda: mirror.head() == wanted(stages.deltas), "deltas must be followed")
    assert mirror.get(path).json()["rows"] != whole["rows"], "the deltas must have something of this user"
    rest = mirror.get(f"{path}&cursor={first['next']}").json()
    assert first["rows"] + rest["rows"] == whole["rows"]
