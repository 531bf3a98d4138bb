"""TLS and SASL for real: a Kafka that takes users over TLS, a MinIO and an API with certificates, and our processes."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import cached_property
from itertools import chain
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from catalogue.at_rest.deltas import reached, read_deltas
from catalogue.at_rest.raw_files import landed_head
from catalogue.events import TOPICS
from deployment.local_stack import ROOT, LocalStack
from deployment.ports import free_port
from ingestion_layer.sinks import KafkaSink, SinkError
from runtime.kafka_offsets import KafkaAway, KafkaBounds, Offsets
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.storage.store import StorageError
from tests.serving_layer.conftest import Server

SPARK = {"ingestion": "ingestion_layer/minio_ingest.py", "speed": "speed_layer/stream_layer.py"}
# Two of Spark side by side; starts cost more here than what runs long.
LIGHT = {"SPARK_DRIVER_MEMORY": "700m", "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
PASSWORD = "a-long-password-of-the-tests"
EVENTS = 200
LISTENERS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{{controller}}
listeners=OUTSIDE://127.0.0.1:{{kafka}},INSIDE://127.0.0.1:{inside},CONTROLLER://127.0.0.1:{{controller}}
advertised.listeners=OUTSIDE://127.0.0.1:{{kafka}},INSIDE://127.0.0.1:{inside}
inter.broker.listener.name=INSIDE
controller.listener.names=CONTROLLER
listener.security.protocol.map=OUTSIDE:SASL_SSL,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.outside.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
"""


class Authority:
    """An authority of this test's own, and a certificate of it for this machine, as files in a folder."""

    def __init__(self, folder: Path):
        folder.mkdir()
        self.file, self.certificate, self.key = folder / "authority.pem", folder / "public.crt", folder / "private.key"
        own = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
        self.file.write_bytes(_signed(name, name, own, own, True).public_bytes(serialization.Encoding.PEM))
        key = ec.generate_private_key(ec.SECP256R1())
        server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        self.certificate.write_bytes(_signed(server, name, key, own, False).public_bytes(serialization.Encoding.PEM))
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.key.write_bytes(key.private_bytes(*form))


def _signed(subject: x509.Name, issuer: x509.Name, key, by, ca: bool) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
    made = made.not_valid_after(now + dt.timedelta(days=1)).add_extension(here, False)
    made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False).sign(
        by, hashes.SHA256()
    )


class SecureStack(LocalStack):
    """Kafka that takes the user `platform` over TLS, and MinIO over TLS."""

    start_seconds = 240

    def __init__(self, folder: Path):
        super().__init__(folder / "stack", free_ports=True)
        self.authority = Authority(folder / "authority")
        keystore = folder / "keystore.pem"
        keystore.write_bytes(self.authority.key.read_bytes() + self.authority.certificate.read_bytes())
        certificates = folder / "certificates"
        certificates.mkdir()
        for file in (self.authority.key, self.authority.certificate):
            (certificates / file.name).write_bytes(file.read_bytes())
        self.kafka_listeners = LISTENERS.format(inside=free_port(), keystore=keystore)
        self.storage_options = ("--add-scram", f"SCRAM-SHA-512=[name=platform,password={PASSWORD}]")
        self.minio_options = ("--certs-dir", str(certificates))

    @cached_property
    def password_file(self) -> Path:
        file = self.folder / "password"
        file.write_text(PASSWORD)
        return file

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "MINIO_ENDPOINT": f"https://127.0.0.1:{self.ports['minio']}",
            "MINIO_AUTHORITY": str(self.authority.file),
            "KAFKA_SECURITY": "SASL_SSL",
            "KAFKA_AUTHORITY": str(self.authority.file),
            "KAFKA_USERNAME": "platform",
            "KAFKA_PASSWORD_FILE": str(self.password_file),
        }


@pytest.fixture(scope="module")
def secure(tmp_path_factory) -> Iterator[SecureStack]:
    """A running one."""
    running = SecureStack(tmp_path_factory.mktemp("secure"))
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="module")
def sent(secure) -> Offsets:
    """Where Kafka ends after the producer has sent its events over TLS."""
    command = [sys.executable, str(ROOT / "ingestion_layer" / "producer.py"), "--events", str(EVENTS), "--seed", "1"]
    environ = {**os.environ, **secure.environment}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:]
    assert PASSWORD not in done.stdout + done.stderr
    with closing(KafkaBounds(secure.settings, TOPICS)) as bounds:
        ends = bounds.read()[1]
    assert sum(end for partitions in ends.values() for end in partitions.values()) == EVENTS
    return ends


def test_ingestion_and_speed_take_everything_over_tls(secure, sent, tmp_path):
    """Spark's own client of Kafka, in its driver and in its tasks, and Python's of the store."""
    environ = {**os.environ, **secure.environment, **LIGHT}
    processes = {}
    try:
        for name, script in SPARK.items():
            with open(tmp_path / name, "wb") as log:
                command = [sys.executable, str(ROOT / script), "--once"]
                processes[name] = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        for name, process in processes.items():
            assert process.wait(400) == 0, (tmp_path / name).read_text()[-3000:]
            assert PASSWORD not in (tmp_path / name).read_text()
    finally:
        for process in processes.values():
            process.kill()
            process.wait(30)
    settings = secure.settings
    raw, speed = (open_store(place, settings) for place in (settings.master_dataset, settings.speed_views))
    landed, deltas = landed_head(raw), read_deltas(speed)
    for topic, partitions in sent.items():
        wanted = {partition: end for partition, end in partitions.items() if end}
        assert landed.get(topic, {}).items() >= wanted.items()
        assert reached(deltas, topic, {}).items() >= wanted.items()


def test_state_and_answers_go_over_tls_alone(secure):
    """The API to its clients and to the store; its certificate is of the same authority."""
    environ = {**os.environ, **secure.environment}
    environ |= {
        "SERVING_CERTIFICATE": str(secure.authority.certificate),
        "SERVING_CERTIFICATE_KEY": str(secure.authority.key),
    }
    server = Server(secure.settings, environ=environ)
    server.address = server.address.replace("http://", "https://")
    try:
        with httpx.Client(base_url=server.address, verify=_trusting(secure.authority.file), timeout=30) as client:
            server.wait(lambda: client.get("/health/ready").raise_for_status())
            assert client.get("/freshness").status_code == 200, "its state is what the store has"
        with pytest.raises(httpx.HTTPError):
            httpx.get(server.address, timeout=10)
        with pytest.raises(httpx.HTTPError):
            httpx.get(server.address.replace("https://", "http://"), timeout=10)
    finally:
        server.stop()


def _trusting(file: Path):
    import ssl

    return ssl.create_default_context(cafile=file)


def test_others_are_not_taken(secure, tmp_path):
    """Another password, no TLS, another authority: each is told in a line, and no secret in it."""
    other = Authority(tmp_path / "another")
    changes: tuple[dict[str, str], ...] = (
        {"KAFKA_PASSWORD_FILE": "", "KAFKA_PASSWORD": "another"},
        {"KAFKA_SECURITY": "PLAINTEXT"},
        {"KAFKA_AUTHORITY": str(other.file)},
    )

    def refused(change: dict[str, str]) -> str:
        with pytest.raises(KafkaAway) as told:
            KafkaBounds(Settings.load({**secure.environment, **change}), ("auth_topic",))
        return str(told.value)

    def not_sent(change: dict[str, str]) -> str:
        with pytest.raises(SinkError) as told:
            KafkaSink(Settings.load({**secure.environment, **change}))
        return str(told.value)

    with ThreadPoolExecutor() as side_by_side:  # each is waited for, for as long as Kafka may take to answer
        for told in chain(side_by_side.map(refused, changes), side_by_side.map(not_sent, changes)):
            assert PASSWORD not in told and "\n" not in told
    strange = Settings.load({**secure.environment, "MINIO_AUTHORITY": str(other.file)})
    with pytest.raises(StorageError, match=r"the certificate of \S+ must be of an authority .*; got \w") as said:
        open_store("s3a://bucket-0/x", strange).read("a")
    assert secure.settings.minio_secret_key not in str(said.value)


@pytest.mark.parametrize("does", ["read", "list", "etag", "create"])
def test_a_store_that_speaks_tls_says_so_to_who_does_not(secure, does):
    plain = secure.environment["MINIO_ENDPOINT"].replace("https://", "http://")
    store = open_store("s3a://bucket-0/x", Settings.load({**secure.environment, "MINIO_ENDPOINT": plain}))
    with pytest.raises(StorageError) as said:
        getattr(store, does)(*{"list": ()}.get(does, ("a",)), *((b"x",) if does == "create" else ()))
    wanted = plain.replace("http://", "https://")
    assert str(said.value) == (
        f"storage s3a://bucket-0/x: MINIO_ENDPOINT must be {wanted}, as TLS is spoken there; got {plain}"
    )


def test_a_store_that_speaks_no_tls_says_so(secure, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        answering = threading.Thread(target=_answer_plainly, args=(listening,))
        answering.start()
        place = f"127.0.0.1:{listening.getsockname()[1]}"
        environ = {**secure.environment, "MINIO_ENDPOINT": f"https://{place}"}
        with pytest.raises(StorageError, match=f"MINIO_ENDPOINT must be http://{place}, as no TLS is spoken there"):
            open_store("s3a://bucket-0/x", Settings.load(environ)).create("a", b"x")
        answering.join(60)


def _answer_plainly(listening: socket.socket) -> None:
    with listening.accept()[0] as client:
        client.recv(4096)
        client.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
