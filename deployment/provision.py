"""The topics and the bucket that the platform needs, made where they are missing.

`python deployment/provision.py [topics] [bucket] [--replicas N] [--wait SECONDS]` makes them, both by default.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from catalogue.events.topic_configuration import topic_config
from catalogue.events.unmapped import COLLECTED
from kafka import KafkaAdminClient
from runtime.command_line import Parser
from runtime.kafka_access import python_client
from runtime.settings import Settings, SettingsError


def create_topics(settings: Settings, replicas: int = 1) -> None:
    """Make the catalogue's topics; raises what kafka-python raises where the broker can't be reached."""
    admin = python_client(
        KafkaAdminClient,
        settings,
        # A broker that starts is there in seconds, and is not to be missed for half a minute.
        reconnect_backoff_max_ms=500,
    )
    try:
        existing = set(admin.list_topics())
        missing = [
            NewTopic(t.name, t.partitions, replicas, topic_configs=topic_config(t))
            for t in COLLECTED.values()
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
        verify=settings.minio_authority,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=3),
    )
    try:
        client.create_bucket(Bucket=settings.bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


def main(argv: list[str] | None = None) -> int:
    """Make what is missing; 0 when it is there, 1 where a server hasn't answered in time, 2 for bad options."""
    parser = Parser(prog="provision.py", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="topics|bucket", help="what to make; default: both")
    parser.add_argument("--replicas", type=int, default=1, help="brokers that keep a copy of each topic")
    parser.add_argument("--wait", type=float, default=120, help="seconds to wait for a server that starts")
    options = parser.parse_args(argv)
    try:
        settings = Settings.load()
    except SettingsError as error:
        print(f"provision: {error}", file=sys.stderr)
        return 1
    makers: dict[str, Callable[[], None]] = {
        "topics": lambda: create_topics(settings, options.replicas),
        "bucket": lambda: create_bucket(settings),
    }
    for name in options.what:
        if name not in makers:
            parser.error(f"what to make must be one of {', '.join(makers)}; got {name!r}")
    deadline = time.monotonic() + options.wait
    for name in options.what or makers:
        while True:
            try:
                makers[name]()
                break
            except Exception as error:  # whatever a client raises while a server starts
                if time.monotonic() > deadline:
                    print(f"provision: {name} must be made within {options.wait:g} s; got {error}", file=sys.stderr)
                    return 1
                time.sleep(1)
        print(f"{name}: there", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
