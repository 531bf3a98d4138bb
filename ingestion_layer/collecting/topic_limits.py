"""What a topic takes at most, as its Kafka says: what is larger can never go, however often it is sent."""

from __future__ import annotations

from contextlib import closing

from kafka.admin import ConfigResource, ConfigResourceType

from catalogue.events.unmapped import COLLECTED
from ingestion_layer.replay.row import Record
from kafka import KafkaAdminClient
from runtime.kafka_access import python_client
from runtime.settings import Settings

# The most bytes of a request to Kafka, and so of a record, that its client is set to.
LARGEST_REQUEST = 20 * 2**20
ANSWER_MS = 2_000
_SETTING = "max.message.bytes"
# What Kafka counts of a record beside its key and value, at most.
_FRAME_BYTES = 128


class Limits:
    """The most bytes of a record by topic. Kafka counts them packed, this counts them as they are: what a sender may
    send doesn't depend on what stands beside it."""

    def __init__(self) -> None:
        self._most: dict[str, int] = {}

    def most(self, topic: str) -> int:
        """Bytes of a record's key and value together."""
        return self._most.get(topic, LARGEST_REQUEST) - _FRAME_BYTES

    @property
    def least(self) -> int:
        """What every topic takes."""
        return min(map(self.most, COLLECTED))

    def exceeded(self, record: Record) -> bool:
        """Whether a record can never go."""
        topic, key, value = record
        return len(key) + len(value) > self.most(topic)

    def read(self, settings: Settings) -> None:
        """Ask Kafka; a topic that it doesn't tell of, or not this client, takes what the client can send. Raises what
        the client raises where Kafka doesn't answer in seconds.
        """
        wanted = [ConfigResource(ConfigResourceType.TOPIC, name, configs={_SETTING: None}) for name in COLLECTED]
        options = {"bootstrap_timeout_ms": ANSWER_MS, "request_timeout_ms": ANSWER_MS}
        with closing(python_client(KafkaAdminClient, settings, **options)) as admin:
            told = admin.describe_configs(wanted, config_filter="all").get("topic", {})
        self._most = {
            name: min(int(found[_SETTING]["value"]), LARGEST_REQUEST)
            for name, found in told.items()
            if _SETTING in found
        }
