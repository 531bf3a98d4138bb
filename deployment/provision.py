"""The topics and the bucket that the platform needs, made where they are missing."""

from __future__ import annotations

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from catalogue.documents import topic_config
from catalogue.events import TOPICS
from catalogue.settings import Settings
from kafka import KafkaAdminClient


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
