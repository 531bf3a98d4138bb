"""How clients reach Kafka: its servers, and TLS and SASL where the settings ask for them."""

from __future__ import annotations

from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from runtime.settings import Settings

Client = TypeVar("Client", KafkaAdminClient, KafkaConsumer, KafkaProducer)

LOGIN_MODULES = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


def python_client(kind: type[Client], settings: Settings, **options: Any) -> Client:
    """A client of kafka-python, which the caller closes; where it can't be had, nothing of it goes on asking for Kafka.

    Raises what the client's constructor raises, which alone would leave its thread and connections behind.
    """
    connections: list[KafkaNetClient] = []

    def connected(**found: Any) -> KafkaNetClient:
        connections.append(KafkaNetClient(**found))
        return connections[-1]

    try:
        return kind(**_python_access(settings), kafka_client=connected, **options)
    except BaseException:
        for connection in connections:
            connection.close()
        raise


def _python_access(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers.split(","),
        "security_protocol": settings.kafka_security,
    }
    if settings.kafka_authority:
        found["ssl_cafile"] = settings.kafka_authority
    if settings.kafka_security.startswith("SASL"):
        found |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password,
        }
    return found


def native_access(settings: Settings) -> dict[str, str]:
    """The properties of librdkafka, which `confluent_kafka` brings."""
    found = {"bootstrap.servers": settings.kafka_bootstrap_servers, "security.protocol": settings.kafka_security}
    if settings.kafka_authority:
        found["ssl.ca.location"] = settings.kafka_authority
    if settings.kafka_security.startswith("SASL"):
        found |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_username or "",
            "sasl.password": settings.kafka_password or "",
        }
    return found


def java_access(settings: Settings) -> dict[str, str]:
    """The properties of Kafka's own clients, which Spark uses; they hide the one with the password in their logs."""
    found = {"bootstrap.servers": settings.kafka_bootstrap_servers, "security.protocol": settings.kafka_security}
    if settings.kafka_authority:
        found |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": settings.kafka_authority}
    if settings.kafka_security.startswith("SASL"):
        found["sasl.mechanism"] = settings.kafka_sasl_mechanism
        user, password = (_quoted(text or "") for text in (settings.kafka_username, settings.kafka_password))
        module = LOGIN_MODULES[settings.kafka_sasl_mechanism]
        found["sasl.jaas.config"] = f"{module} required username={user} password={password};"
    return found


def _quoted(text: str) -> str:
    """A string of a JAAS configuration."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
