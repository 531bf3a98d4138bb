"""A broker on a small disk, which can be filled, and whose topics can be made to refuse."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ConfigResourceType,
    NewTopic,
    ResourcePattern,
    ResourceType,
)
from kafka.protocol.admin.client_quotas import AlterClientQuotasRequest
from kafka.structs import TopicPartition

from catalogue.events.topic_configuration import topic_config
from catalogue.events.unmapped import COLLECTED
from deployment import installation
from deployment.local_stack import CLUSTER_ID, KAFKA_LISTENERS, KAFKA_SETTINGS, LocalStack
from deployment.ports import free_port
from deployment.provision import create_topics
from kafka import KafkaAdminClient
from runtime.kafka_access import python_client

LIMIT = 120
QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true", "-Xmx256m"]
RIGHTS = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""
# A second one, which keeps copies alone.
SECOND = """\
process.roles=broker
node.id=2
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{kafka}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
"""


class SmallKafka(LocalStack):
    """A broker alone, in a folder that is a disk of its own."""

    kafka_listeners = KAFKA_LISTENERS + RIGHTS

    def up(self) -> None:
        """Start it and make the topics."""
        self._start_kafka()
        self._wait("Kafka", lambda: create_topics(self.settings))

    @property
    def environment(self) -> dict[str, str]:
        """The settings that name it."""
        return {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.ports['kafka']}"}

    @property
    def ballast(self) -> Path:
        """What fills the disk."""
        return self.folder / "ballast"

    def fill(self) -> None:
        """Leave no room on the disk."""
        with open(self.ballast, "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(2**16))
            except OSError:
                pass

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """Who may change everything."""
        with closing(python_client(KafkaAdminClient, self.settings)) as admin:
            yield admin

    @contextmanager
    def changed(self, topic: str, **settings: Any) -> Iterator[None]:
        """With other settings of a topic."""
        named = {name.replace("_", "."): str(value) for name, value in settings.items()}
        self._configure(topic, named)
        try:
            yield
        finally:
            usual = topic_config(COLLECTED[topic])
            self._configure(topic, {name: usual.get(name, "1") for name in named})

    def _configure(self, topic: str, settings: dict[str, str]) -> None:
        with self.admin() as admin:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=settings)])

    @contextmanager
    def without_right(self, topic: str) -> Iterator[None]:
        """While nobody may write to a topic."""
        reading = ACL(
            "User:ANONYMOUS",
            "*",
            ACLOperation.READ,
            ACLPermissionType.ALLOW,
            ResourcePattern(ResourceType.TOPIC, topic),
        )
        with self.admin() as admin:
            assert not admin.create_acls([reading])["failed"]
        try:
            yield
        finally:
            with self.admin() as admin:
                admin.delete_acls([reading])

    @contextmanager
    def lacking_replica(self, topic: str, second: subprocess.Popen[bytes]) -> Iterator[None]:
        """While a topic that wants two replicas in sync has one, as the `second` broker doesn't answer."""
        places = [TopicPartition(topic, partition) for partition in range(COLLECTED[topic].partitions)]
        with self.admin() as admin:
            until(lambda: len(admin.describe_cluster()["brokers"]) == 2)
            admin.alter_partition_reassignments({place: [1, 2] for place in places})
            until(lambda: self._in_sync(admin, topic) == 2)
            with self.changed(topic, min_insync_replicas=2):
                second.send_signal(signal.SIGSTOP)
                try:
                    until(lambda: self._in_sync(admin, topic) == 1)
                    yield
                finally:
                    second.send_signal(signal.SIGCONT)
                until(lambda: self._in_sync(admin, topic) == 2)
            admin.alter_partition_reassignments({place: [1] for place in places})

    @contextmanager
    def second(self, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Another broker, in `folder`."""
        java, jars = installation.tool("java", "Java 17"), f"{installation.kafka_jars()}/*"
        properties = folder / "server.properties"
        ports = {**self.ports, "kafka": free_port()}
        properties.write_text((SECOND + RIGHTS + KAFKA_SETTINGS).format(**ports, logs=folder / "data"))
        form = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties)]
        subprocess.run([java, *QUICK, "-cp", jars, *form], check=True, capture_output=True)
        with open(folder / "second.out", "wb") as log:
            command = [java, *QUICK, "-cp", jars, "kafka.Kafka", str(properties)]
            running = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield running
        finally:
            running.kill()
            running.wait(LIMIT)

    @staticmethod
    def _in_sync(admin: KafkaAdminClient, topic: str) -> int:
        (found,) = admin.describe_topics([topic])
        return min(len(partition["isr_nodes"]) for partition in found["partitions"])

    def drop(self, topic: str) -> None:
        """Delete a topic."""
        with self.admin() as admin:
            admin.delete_topics([topic])

    def make(self, topic: str) -> None:
        """Make a topic."""
        known = COLLECTED[topic]
        here = {partition: [1] for partition in range(known.partitions)}
        with self.admin() as admin:
            admin.create_topics([NewTopic(topic, replica_assignments=here, topic_configs=topic_config(known))])

    @contextmanager
    def quota(self, bytes_per_second: int) -> Iterator[None]:
        """While no client may send more."""
        self._quota(bytes_per_second, remove=False)
        try:
            yield
        finally:
            self._quota(0, remove=True)

    def _quota(self, bytes_per_second: int, remove: bool) -> None:
        entry = AlterClientQuotasRequest.EntryData
        everyone = entry.EntityData(entity_type="client-id", entity_name=None)
        change = entry.OpData(key="producer_byte_rate", value=float(bytes_per_second), remove=remove)
        request = AlterClientQuotasRequest(entries=[entry(entity=[everyone], ops=[change])], validate_only=False)
        with self.admin() as admin:  # which has no method for it
            answer = admin._manager.run(admin._manager.send, request)
        assert [one.error_code for one in answer.entries] == [0]


def until(holds: Callable[[], bool]) -> None:
    """Wait for it; AssertionError where that takes too long."""
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def small_kafka(megabytes: int) -> Iterator[SmallKafka]:
    """A running one on a disk of that size, which takes root's rights to mount. It stands apart from pytest's folders:
    these couldn't be removed where a killed test left it.
    """
    folder = Path(tempfile.mkdtemp(prefix="small-kafka-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "small", str(folder)], check=True)
    small = SmallKafka(folder, free_ports=True)
    try:
        small.up()
        yield small
    finally:
        small.down()
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()
