"""The topics and the bucket that the platform needs, made where they are missing."""

from __future__ import annotations

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from catalogue.events import TOPICS
from catalogue.schema import Topic
from catalogue.settings import Settings

DAY_MS = 86_400_000


def topic_config(topic: Topic) -> dict[str, str]:
    """Kafka's settings of a topic: its own clock stamps arrivals, nothing is compacted."""
    retention = -1 if topic.retention_days is None else topic.retention_days * DAY_MS
    return {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(retention),
        "retention.bytes": "-1",
        "cleanup.policy": "delete",
        "max.message.bytes": "20971520",
    }


def create_topics(settings: Settings, replicas: int = 1) -> None:
    """Make the catalogue's topics; raises what kafka-python raises where the broker can't be reached."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers.split(","))
    try:
        existing = set(admin.list_topics())
        missing = [
            NewTopic(t.name, t.partitions, replicas, topic_configs=topic_config(t))
            for t in TOPICS.values()
            if t.name not in existing
        ]
        if missing:
            admin.create_topics(missing)
    except TopicAlreadyExistsError:
        pass
    finally:
        admin.close()


def create_bucket(settings: Settings) -> None:
    """Make the bucket of the raw events; raises what boto3 raises where the store can't be reached."""
    if not settings.bucket:
        return
    client = boto3.client(
        "s3",
        endpoint_url=settings.minio_endpoint,
        aws_access_key_id=settings.minio_access_key,
        aws_secret_access_key=settings.minio_secret_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=3),
    )
    try:
        client.create_bucket(Bucket=settings.bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
