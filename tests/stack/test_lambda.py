"""Everything at once on the real stack: events flow, layers die and come back, and the answers stay right."""

import pytest

from catalogue.at_rest.deltas import read_deltas
from deployment.local_stack import LocalStack
from tests.stack.faults import Faults


@pytest.fixture
def faults(tmp_path):
    """A platform on a stack of its own, whose servers may be killed."""
    stack = LocalStack(tmp_path, free_ports=True)
    try:
        stack.up()  # makes the keys that the layers are given
        running = Faults(stack, tmp_path, seed=7, most=6000)
        try:
            running.start()
            yield running
        finally:
            running.stop()
    finally:
        stack.down()


def test_answers_stay_right_whatever_ends(faults):
    faults.batch_runs()
    faults.minio_restarts()
    faults.speed_is_killed()
    faults.kafka_restarts()
    faults.speed_is_down_while_batch_runs()
    faults.serving_is_killed()
    faults.an_older_run_is_published_again()
    faults.ingestion_is_killed()
    faults.quiet()
    faults.check()
    faults.last_run()
    faults.check()
    assert any(d.last > d.number for d in read_deltas(faults.layers.deltas)), "deltas were merged meanwhile"
