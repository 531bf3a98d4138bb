"""What a batch run leaves behind for Prometheus."""

import socket
import threading
import time

from prometheus_client.parser import text_string_to_metric_families

from batch_layer.metrics import leave_failure, leave_success
from batch_layer.topic_task import TopicResult
from catalogue.at_rest.runs import RunManifest, ViewFiles
from runtime.exposition import TIMEOUT_SECONDS
from runtime.settings import Settings

MANIFEST = RunManifest(
    "r1",
    "2026-03-01T00:00:00.500Z",
    {"auth_topic": {"0": 7}},
    {"auth_topic": {"0": {"landed": 6, "counted": 4, "duplicate": 1, "invalid": 1}}},
    {"auth_daily_active_users": ViewFiles("auth_daily_active_users/run=r1", 3)},
)


def told(file):
    families = text_string_to_metric_families(file.read_text())
    return {(s.name, *(s.labels[n] for n in sorted(s.labels))): s.value for f in families for s in f.samples}


def test_a_success_and_a_failure_stand_side_by_side(tmp_path):
    settings = Settings.load({"BATCH_METRICS": str(tmp_path)})
    leave_success(settings, MANIFEST, [TopicResult("auth_topic", "r1", events=6, seconds=1.5, unreadable_lines=2)])
    leave_failure(settings)
    found = told(tmp_path / "batch-success.prom")
    assert found["batch_published_timestamp_seconds",] == 1772323200.5
    assert found["batch_run_info", "r1"] == 1
    assert found["batch_run_events", "auth_topic"] == 6 and found["batch_run_events", "video_topic"] == 0
    assert found["batch_run_seconds", "auth_topic"] == 1.5
    assert found["batch_run_unreadable_lines", "auth_topic"] == 2
    assert found["batch_cut_offset", "0", "auth_topic"] == 7
    assert found["batch_view_rows", "auth_daily_active_users"] == 3
    assert {k[1]: v for k, v in found.items() if k[0] == "batch_ledger_events"} == MANIFEST.ledger["auth_topic"]["0"]
    failure = told(tmp_path / "batch-failure.prom")
    assert [name for (name,) in failure] == ["batch_last_failure_timestamp_seconds"]
    assert failure["batch_last_failure_timestamp_seconds",] >= found["batch_last_success_timestamp_seconds",]


def test_a_place_that_is_not_there_fails_no_run(tmp_path, capsys):
    for place in (str(tmp_path / "missing"), "http://127.0.0.1:1"):
        leave_success(Settings.load({"BATCH_METRICS": place}), MANIFEST, [])
        assert 'msg="metrics are not left"' in capsys.readouterr().err


def test_a_pushgateway_that_is_none_fails_and_slows_no_run(capsys):
    """Its name is settled on a cluster whether monitoring is there or not: it is unknown, or another server answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            with server.accept()[0] as client:
                client.recv(1 << 20)
                client.sendall(b"what?\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        other = f"http://127.0.0.1:{server.getsockname()[1]}"
        for place in ("http://pushgateway.monitoring.invalid:9091", other, "http://127.0.0.1:port"):
            started = time.monotonic()
            leave_success(Settings.load({"BATCH_METRICS": place}), MANIFEST, [])
            assert time.monotonic() - started < 2 * TIMEOUT_SECONDS
            assert 'msg="metrics are not left"' in capsys.readouterr().err, place


def test_nothing_is_left_where_no_place_is_named():
    leave_success(Settings.load({}), MANIFEST, [])
    leave_failure(Settings.load({}))
