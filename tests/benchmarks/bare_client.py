"""The least that anybody has to do who sends events to Kafka, or lands them in a store: yardsticks for ours.

`python -m tests.benchmarks.bare_client send EVENTS TOPIC` sends ready-made bytes; `… land FOLDER` writes what Kafka
holds of the platform's topics as gzip'd lines. Each prints the seconds from its first record to its last.
"""

from __future__ import annotations

import gzip
import sys
import time
from itertools import cycle, islice

from kafka.admin import KafkaAdminClient, NewTopic

from catalogue.events import TOPICS
from ingestion_layer.landing import COMPRESSION
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from runtime.settings import Settings
from runtime.storage.opening import open_store

SAMPLE = 50_000
LINES_A_FILE = 20_000
PARTITIONS = 5


def send(settings: Settings, events: int, topic: str) -> float:
    """Send so many records, with the settings of our producer, of bytes that the platform's topics hold."""
    consumer = _reading(settings)
    sample = [(r.key, r.value) for r in islice(consumer, SAMPLE)]
    consumer.close()
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    admin.close()
    producer = KafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=250,
        batch_size=256 * 1024,
        max_request_size=16 * 2**20,
    )
    started = time.monotonic()
    for key, value in islice(cycle(sample), events):
        producer.send(topic, value, key=key)
    producer.flush()
    seconds = time.monotonic() - started
    producer.close()
    return seconds


def land(settings: Settings, folder: str) -> float:
    """Write every record's bytes as a line of gzip'd files, in the order in which they come."""
    store, consumer = open_store(folder, settings), _reading(settings)
    waiting = sum(consumer.end_offsets(consumer.assignment()).values())
    started = time.monotonic()
    for number in range(-(-waiting // LINES_A_FILE)):
        values = (r.value for r in islice(consumer, min(LINES_A_FILE, waiting - number * LINES_A_FILE)))
        store.write(f"{number:06}.json.gz", gzip.compress(b"\n".join(values), COMPRESSION))
    seconds = time.monotonic() - started
    consumer.close()
    return seconds


def _reading(settings: Settings) -> KafkaConsumer:
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, fetch_max_bytes=64 * 2**20)
    places = [TopicPartition(t.name, p) for t in TOPICS.values() for p in range(t.partitions)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    return consumer


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    read = Settings.load()
    print(send(read, int(rest[0]), rest[1]) if what == "send" else land(read, rest[0]))
