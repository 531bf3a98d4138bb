"""Somebody is erased while ingestion, speed and serving run under load: `erasing.py` does it for longer."""

from __future__ import annotations

import pytest

from deployment.local_stack import LocalStack
from tests.stack.erasing import Erasing, events_of


@pytest.fixture
def erasing(tmp_path):
    """A platform on a stack of its own, as every byte of the bucket is searched."""
    stack = LocalStack(tmp_path, free_ports=True)
    try:
        stack.up()  # makes the keys that the layers are given
        running = Erasing(stack, tmp_path, seed=5)
        try:
            yield running
        finally:
            running.stop()
    finally:
        stack.down()


def test_an_erasure_that_was_killed_goes_on_beside_layers_that_were(erasing):
    erasing.start(1500)
    person = erasing.busiest()
    erasing.killed_while_it_rewrites(person)
    erasing.layers_killed()
    certificate = erasing.erased(person)
    assert events_of(certificate) > 10 and certificate["remains"] == {}
    assert certificate["kafka"] and all(log["removed_by"] for log in certificate["kafka"])
    erasing.last_run()
    erasing.check()
