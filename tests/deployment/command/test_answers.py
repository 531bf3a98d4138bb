"""Commands that ask, as processes, of a real server over a run and deltas; and those about its runs."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars
import pytest

from tests.laws.test_merged import Platform
from tests.oracle.histories import history
from tests.serving_layer.conftest import Server, serving

LEARN = Path(sys.executable).with_name("learn")
VIEW = "video_total_watch_time"
Ask = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """Over two runs, with a delta on top."""
    platform = Platform(tmp_path_factory.mktemp("command"), history(41, 1500), 41)
    for share in (0.3, 0.4):
        platform.micro_batch(share)
        platform.run_batch(at_boundary=True)
    platform.micro_batch(0.5)
    with serving(platform) as running:
        yield running


@pytest.fixture(scope="module")
def ask(server) -> Ask:
    """What a command that must end with `status` prints on standard output, or on standard error where it fails."""
    own = {"API_ADDRESS": server.address, "BATCH_VIEWS": server.platform.settings.batch_views, "COLUMNS": "200"}

    def asked(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [LEARN, *arguments], env=os.environ | own, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == status, done.stderr
        return done.stderr if status else done.stdout

    return asked


def test_views_are_listed_with_their_columns(ask):
    listed = json.loads(ask("views", "--json"))
    assert [v["name"] for v in listed if v["name"] == VIEW] == [VIEW]
    table = ask("views")
    assert listed and all(v["name"] in table for v in listed)
    (columns,) = (v["columns"] for v in listed if v["name"] == VIEW)
    told = ask("views", VIEW)
    assert all(c["name"] in told and c["type"] in told for c in columns)


def test_rows_are_those_of_the_api_in_every_format(ask, tmp_path):
    answer = json.loads(ask("query", VIEW, "--json"))
    rows = answer["rows"]
    assert rows and answer["total"] == len(rows)
    table = ask("query", VIEW)
    assert all(name in table for name in answer["columns"]) and f"{len(rows)} of {len(rows)} rows" in table
    read = list(csv.DictReader(io.StringIO(ask("query", VIEW, "--format", "csv"))))
    assert [r[answer["columns"][0]] for r in read] == [str(r[answer["columns"][0]]) for r in rows]
    ask("query", VIEW, "--format", "parquet", "--output", str(tmp_path / "v.parquet"))
    assert polars.read_parquet(tmp_path / "v.parquet").height == len(rows)
    ask("query", VIEW, "--format", "arrow", "--output", str(tmp_path / "v.arrow"))
    assert polars.read_ipc_stream(tmp_path / "v.arrow").height == len(rows)


def test_all_pages_together_are_the_whole(ask):
    whole = json.loads(ask("query", VIEW, "--json"))["rows"]
    pages = json.loads(ask("query", VIEW, "--json", "--limit", "3", "--all"))
    assert len(whole) > 6 and pages["rows"] == whole and pages["next"] is None
    assert ask("query", VIEW, "--format", "csv", "--limit", "3", "--all") == ask("query", VIEW, "--format", "csv")
    first = json.loads(ask("query", VIEW, "--json", "--limit", "3"))
    after = json.loads(ask("query", VIEW, "--json", "--limit", "3", "--cursor", first["next"]))
    assert after["rows"] == whole[3:6]
    assert "next page: --cursor" in ask("query", VIEW, "--limit", "3")


def test_filters_and_order_are_the_api_s(ask):
    answer = json.loads(ask("query", VIEW, "--json"))
    column = answer["columns"][0]
    row = answer["rows"][len(answer["rows"]) // 2]
    found = json.loads(ask("query", VIEW, f"{column}={row[column]}", "--json", "--fields", column))["rows"]
    assert found and all(r == {column: row[column]} for r in found)
    above = json.loads(ask("query", VIEW, f"{column}__gte={row[column]}", "--json", "--sort", f"-{column}"))["rows"]
    assert above and [r[column] for r in above] == sorted((r[column] for r in above), reverse=True)
    assert min(r[column] for r in above) >= row[column]


def test_what_the_api_refuses_is_one_line_and_status_2(ask):
    for arguments, told in (
        (("query", "nothing"), "nothing"),
        (("query", VIEW, "nothing=1"), "nothing"),
        (("views", "nothing"), "VIEW must be one that `learn views` lists; got 'nothing'"),
    ):
        found = ask(*arguments, status=2)
        assert found.startswith("learn: ") and told in found and found.count("\n") == 1


def test_freshness_closes_the_ledger(ask):
    fresh = json.loads(ask("freshness", "--json"))
    entries = [entry for partitions in fresh["ledger"].values() for entry in partitions.values()]
    assert entries and all(e["landed"] == e["counted"] + e["duplicate"] + e["invalid"] for e in entries)
    told = ask("freshness")
    assert all(topic in told for topic in fresh["ledger"]) and f"batch run: {fresh['run']}" in told


def test_a_run_is_published_again(ask, server):
    older, newer = sorted(json.loads(ask("runs", "--json")), key=lambda run: run["published_at"])
    assert (older["published"], newer["published"]) == (False, True)
    assert ask("republish", older["run"]) == f"published run {older['run']} again\n"
    published = [run["run"] for run in json.loads(ask("runs", "--json")) if run["published"]]
    assert published == [older["run"]] and older["run"] in ask("runs")
    assert json.loads(ask("republish", newer["run"], "--json"))["run"] == newer["run"]
    assert "nothing" in ask("republish", "nothing", status=1)


def test_events_become_a_file_then_raw_files_then_views(ask, tmp_path):
    """Without Kafka, each with its outcome as JSON."""
    out, raw, views = (str(tmp_path / name) for name in ("events.jsonl", "raw", "views"))
    told = json.loads(ask("produce", "--seed", "5", "--events", "200", "--output", out, "--json"))
    assert (told["command"], told["status"]) == ("produce", 0)
    assert len(Path(out).read_text().splitlines()) == 200
    told = json.loads(ask("ingest", "--from", out, "--to", raw, "--json"))
    heads = [offset for partitions in told["head"].values() for offset in partitions.values()]
    assert (told["to"], sum(heads)) == (raw, 200)
    told = json.loads(ask("batch", raw, views, "--json"))
    assert told["cut"] and sum(entry["landed"] for p in told["ledger"].values() for entry in p.values()) == 200
    assert [run["run"] for run in json.loads(ask("runs", views, "--json"))] == [told["run"]]
