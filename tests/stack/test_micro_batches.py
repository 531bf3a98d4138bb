"""A streaming query of the real Spark ends between its micro-batches."""

import threading
import time

import pytest

from runtime.kafka_offsets import Gap
from runtime.settings import Settings
from runtime.spark.session import session
from runtime.spark.streaming import MicroBatches


def test_the_running_micro_batch_ends_and_no_other_begins(tmp_path):
    began, taken = threading.Event(), []

    def take(batch, number):
        began.set()
        time.sleep(2)
        batch.count()
        taken.append(number)

    batches = MicroBatches(take, threading.Event())
    spark = session("micro-batches", Settings.load({}))
    try:
        stream = spark.readStream.format("rate").load().writeStream.foreachBatch(batches)
        query = stream.option("checkpointLocation", str(tmp_path)).start()
        assert began.wait(120)
        batches.end(query)
        assert taken == [0] and query.exception() is None and not query.isActive
    finally:
        spark.stop()


def test_an_error_of_the_platform_s_own_keeps_its_type(tmp_path):
    def take(batch, number):
        raise Gap("offsets 3 to 5 are gone")

    batches = MicroBatches(take, threading.Event())
    spark = session("micro-batches", Settings.load({}))
    try:
        stream = spark.readStream.format("rate").load().writeStream.foreachBatch(batches)
        query = stream.option("checkpointLocation", str(tmp_path)).start()
        with pytest.raises(Gap, match="^offsets 3 to 5 are gone$"):
            while not batches.wait(query, 1):
                pass
    finally:
        spark.stop()


def test_what_fails_once_it_is_stopping_is_left_to_the_next_start():
    stopping, taken = threading.Event(), []

    def take(batch, number):
        taken.append(number)
        raise ConnectionError

    batches = MicroBatches(take, stopping)
    with pytest.raises(ConnectionError):
        batches(None, 0)
    stopping.set()
    for number in (1, 2):
        batches(None, number)
    assert taken == [0, 1]
