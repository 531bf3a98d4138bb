"""Every recipe of `docs/query-api.md` runs, over the API and over the files in MinIO; older runs are read there too.

Spark's runs where there is a Spark: in `tests/batch_layer/test_learning_views.py`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from batch_layer.publication import drop_old_runs
from catalogue.at_rest.runs import current
from runtime.settings import Settings
from runtime.storage.opening import open_store
from tests.laws.test_merged import Platform
from tests.oracle.histories import history
from tests.serving_layer.conftest import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "query-api.md"
BUCKET = "bucket-0/recipes"
VIEW = "video_total_watch_time"


@pytest.fixture(scope="module")
def published(stack, tmp_path_factory):
    """A server over MinIO, where two runs are kept and deltas follow."""
    platform = Platform(tmp_path_factory.mktemp("recipes"), history(31, 1500), 31)
    for share in (0.3, 0.5):
        platform.micro_batch(share)
        platform.run_batch(at_boundary=True)
    platform.micro_batch(0.5)
    places = {name: f"s3a://{BUCKET}/{name.lower()}" for name in ("BATCH_VIEWS", "SPEED_VIEWS")}
    for place, local in zip(places.values(), (platform.batch, platform.speed_store), strict=True):
        store = open_store(place, stack.settings)
        for entry in local.list():
            store.write(entry.path, local.read(entry.path))
    environ = stack.environment | places
    server = Server(Settings.load(environ), environ=environ)
    try:
        server.wait()
        yield server.address, open_store(places["BATCH_VIEWS"], stack.settings)
    finally:
        server.stop()


def test_every_recipe_runs(published, stack):
    address, batch = published
    settings = stack.settings
    known = {
        "API": address,
        "ENDPOINT": settings.minio_endpoint.removeprefix("http://"),
        "ACCESS_KEY": settings.minio_access_key,
        "SECRET_KEY": settings.minio_secret_key,
        "BATCH_VIEWS": f"{BUCKET}/batch_views",
    }
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 10
    for block in blocks:
        if "spark" in block:
            continue
        exec(compile(block, str(PAGE), "exec"), known)
    merged = httpx.get(f"{address}/views/{VIEW}", params={"total_watch_seconds__gt": 0, "limit": 1}).json()["total"]
    assert len(known["frame"]) == merged
    assert known["by_course"]["total_watch_seconds"].sum() == known["frame"]["total_watch_seconds"].sum() > 0
    assert known["day"]["date"].dt.year.min() >= 2000 and known["unchanged"]
    assert known["videos"].height > 0 and 0 < len(known["longest"]) <= 10
    run = current(batch)[0]
    assert known["current"] == json.loads(run.encoded())
    assert len(known["grades"]) == run.views["assessment_grading_stats"].rows > 0
    assert known["daily"].height == run.views["course_daily_engagement"].rows > 0
    assert list(known["daily"].columns) == list(run.views["course_daily_engagement"].columns)
    assert 0 < len(known["top"]) <= 10


def test_older_runs_are_read_from_minio_until_retention_drops_them(published):
    address, batch = published

    def rows(**chosen):
        return httpx.get(f"{address}/views/{VIEW}", params={"limit": 10_000, **chosen}, timeout=30)

    old, new = rows(as_of_run="r001").json(), rows(as_of_run="r002").json()
    kept = json.loads(batch.read("_runs/r001.json"))
    assert old["as_of"]["run"] == "r001" and old["as_of"]["cut"] == old["as_of"]["head"] == kept["cut"]
    assert old["total"] == kept["views"][VIEW]["rows"] < new["total"]
    assert new["rows"] == rows(layer="batch").json()["rows"]
    page, found = rows(as_of_run="r001", limit=7).json(), []
    while True:
        found += page["rows"]
        if not page["next"]:
            break
        page = rows(as_of_run="r001", limit=7, cursor=page["next"]).json()
    assert found == old["rows"]
    assert rows(as_of_run="r001", layer="speed").status_code == 422
    assert drop_old_runs(batch, 1) == ["r001"]
    gone = rows(as_of_run="r001")
    assert (gone.status_code, gone.json()["name"]) == (404, "as_of_run")
    assert rows(as_of_run="r002").status_code == 200
