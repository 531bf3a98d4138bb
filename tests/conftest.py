"""The real Kafka, MinIO and HDFS that tests share."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.local_stack import LocalStack
from runtime.scratch import own_scratch
from tests.hdfs import Hdfs

TESTS = Path(__file__).parent
# Of Spark's driver and of Kafka: a test's start costs more than what runs long in it.
for options in ("SPARK_SUBMIT_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS"):
    os.environ.setdefault(options, "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
os.environ.setdefault("SPARK_UI_PORT", "")  # a twentieth of each start; the tests of its pages ask for them
# What needs servers: these folders, and whatever asks for one of these.
SERVER_FOLDERS = {"stack", "containers", "kubernetes", "oozie", "cluster", "compose", "monitoring", "standalone"}
SERVER_FIXTURES = {"stack", "hdfs", "postgres", "broker"}
# What takes longest without servers: laws, copies of the project, Spark, browsers, replays of real data.
LONG_FOLDERS = {"laws", "browser"}
LONG_FILES = {
    "batch_layer/test_foreign_input.py",
    "batch_layer/test_learning_views.py",
    "batch_layer/test_real_data.py",
    "batch_layer/test_run_batch_jobs.py",
    "batch_layer/test_spark_pages.py",
    "deployment/command/test_answers.py",
    "deployment/persons/test_erasure.py",
    "deployment/persons/test_interrupted_erasure.py",
    "deployment/persons/test_retention.py",
    "deployment/test_environment.py",
    "deployment/test_monitoring.py",
    "deployment/test_oozie_files.py",
    "deployment/test_spark_classes.py",
    "documentation/test_notebook.py",
    "documentation/test_walkthroughs.py",
    "ingestion_layer/test_offline.py",
    "ingestion_layer/test_producer.py",
    "ingestion_layer/test_replay_cuts.py",
    "ingestion_layer/test_replay_damage.py",
    "ingestion_layer/test_replay_oracle.py",
    "ingestion_layer/test_replay_properties.py",
    "ingestion_layer/test_stories.py",
    "serving_layer/identity/test_attacks.py",
    "serving_layer/identity/test_exports.py",
    "serving_layer/identity/test_gate.py",
    "serving_layer/identity/test_sight.py",
    "serving_layer/routes/test_changes.py",
    "serving_layer/state/test_following.py",
    "serving_layer/state/test_person_rows.py",
    "serving_layer/state/test_serving_state.py",
    "serving_layer/state/test_topic_state.py",
    "serving_layer/test_application.py",
    "serving_layer/test_limits.py",
    "speed_layer/test_delta_stream.py",
    "speed_layer/test_horizon.py",
    "structure/test_sql_style.py",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `make test` leaves to targets of their own is asked for by an option."""
    parser.addoption("--thorough", action="store_true", help="also tests that are marked `thorough`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that `make test-quick` leaves out, and begin with them: they take longest, beside others."""
    dropped = [item for item in items if item.get_closest_marker("thorough") and not config.getoption("thorough")]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]
    for item in items:
        file = item.path.relative_to(TESTS)
        folder = file.parts[0]
        if folder in SERVER_FOLDERS or SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("servers")
        if folder in LONG_FOLDERS or file.as_posix() in LONG_FILES:
            item.add_marker("long")
    servers = {item.path for item in items if item.get_closest_marker("servers")}
    items.sort(key=lambda item: item.path not in servers)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no test: what gzip makes holds the second, so two workers would collect different tests."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session", autouse=True)
def _own_scratch(tmp_path_factory) -> Iterator[None]:
    """What tests leave in the temporary folder goes with them; pytest's own folders stay for whoever looks."""
    tmp_path_factory.getbasetemp()
    with own_scratch() as folder:
        folder.chmod(0o711)  # servers that refuse to run as root have theirs in it
        yield


@pytest.fixture(scope="module", autouse=True)
def _kafka_is_left() -> Iterator[None]:
    """No module leaves a client of Kafka open: its thread would ask a broker that is gone, beside others' tests."""
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("kafka-io-")]
    assert left == [], f"clients of Kafka must be closed; got {left}"


def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A running stack on free ports, stopped at the end."""
    running = LocalStack(tmp_path_factory.mktemp("stack"), free_ports=True)
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Iterator[LocalStack]:
    """The one that tests share."""
    yield from running_stack(tmp_path_factory)


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory) -> Iterator[Hdfs]:
    """A running HDFS on free ports, stopped at the end."""
    running = Hdfs(tmp_path_factory.mktemp("hdfs"))
    try:
        running.up()
        yield running
    finally:
        running.down()
