"""How clients reach Kafka."""

import threading

import pytest
from kafka.errors import KafkaError

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from runtime.kafka_access import python_client
from runtime.settings import Settings


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_client_that_cannot_be_had_leaves_nothing_behind(kind):
    settings = Settings.load({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    with pytest.raises(KafkaError):
        python_client(kind, settings, bootstrap_timeout_ms=300)
    assert [t.name for t in threading.enumerate() if t.name.startswith("kafka-io-")] == []
