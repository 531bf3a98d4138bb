"""A real Kafka broker and a real MinIO server on this machine: `python -m deployment.local_stack up|status|down`.

What the environment already names (`KAFKA_BOOTSTRAP_SERVERS`, `MINIO_ENDPOINT`) is used, not started. Data stays under
`.local/` between runs; servers listen on loopback only and are stopped by process id. `down` also stops the layers that
the demo started, and `status` names them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from deployment import installation
from deployment.daemon import Daemon
from deployment.installation import StackError
from deployment.keys import keep_together
from deployment.local_layers import DATA, LocalLayers
from deployment.ports import check_free, free_ports
from deployment.provision import create_bucket, create_topics
from runtime.command_line import Parser
from runtime.settings import LOCAL_KEYS, Settings, keys_of

ROOT = Path(__file__).resolve().parents[1]
MONITORING = ROOT / "deployment" / "monitoring"
CLUSTER_ID = "bGVhcm5pbmctYW5hbHl0aQ"
# The setting that names each server, and what it listens on.
SERVERS = {
    "kafka": ("KAFKA_BOOTSTRAP_SERVERS", ("kafka", "controller", "kafka_metrics")),
    "minio": ("MINIO_ENDPOINT", ("minio", "console")),
}
PORTS = {"kafka": 9092, "controller": 9093, "minio": 9000, "console": 9001, "kafka_metrics": 9404}
START_SECONDS = 60
KAFKA_LISTENERS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{kafka},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{kafka}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
"""
KAFKA_SETTINGS = """\
log.dirs={logs}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
message.max.bytes=33554432
"""


class LocalStack:
    """Kafka and MinIO with their data under `folder`; with `free_ports` on ports that nobody else uses.

    `environment` names them as settings. Free ports are chosen once and kept beside the data, in `ports.json`.
    """

    # What a stack of another kind has otherwise.
    kafka_listeners = KAFKA_LISTENERS
    storage_options: tuple[str, ...] = ()
    minio_options: tuple[str, ...] = ()
    start_seconds = START_SECONDS

    def __init__(self, folder: Path = DATA, free_ports: bool = False, external: bool = False):
        self.folder = folder
        self.external = {setting for setting, _ in SERVERS.values() if external and os.environ.get(setting)}
        self._free_ports = free_ports

    @cached_property
    def ports(self) -> dict[str, int]:
        """Port of each listener; StackError where the kept ones can't be read."""
        kept = self.folder / "ports.json"
        if not kept.exists():
            if not self._free_ports:
                return PORTS
            self.folder.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(free_ports(PORTS)))
        try:
            found = json.loads(kept.read_text())
            return {name: int(found[name]) for name in PORTS}
        except (ValueError, TypeError, KeyError) as error:
            raise StackError(f"{kept}: must hold a port for each of {', '.join(PORTS)}; got {error!r}") from error

    @property
    def environment(self) -> dict[str, str]:
        """The settings that name this stack."""
        own = {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.ports['kafka']}",
            "MINIO_ENDPOINT": f"http://127.0.0.1:{self.ports['minio']}",
        }
        known = {} if "MINIO_ENDPOINT" in self.external else keys_of(self.keys)
        return known | own | {name: os.environ[name] for name in self.external}

    @property
    def keys(self) -> Path:
        """Where this stack's keys are, random ones that were made when MinIO was first started."""
        return self.folder / LOCAL_KEYS.name

    @property
    def settings(self) -> Settings:
        """Settings for programs that use this stack."""
        return Settings.load({**os.environ, **self.environment})

    def up(self) -> None:
        """Start what is not running, then make the topics and the bucket; safe to repeat.

        Where that fails, what it has started is stopped again.
        """
        missing = {
            name: start
            for name, start in (("kafka", self._start_kafka), ("minio", self._start_minio))
            if SERVERS[name][0] not in self.external and not self.running(name)
        }
        for name in missing:
            setting, listeners = SERVERS[name]
            check_free({n: self.ports[n] for n in listeners}, f"; set {setting} to use what listens there")
        if "minio" in missing:
            keep_together(self.keys)
        try:
            for start in missing.values():
                start()
            self._wait("Kafka", lambda: create_topics(self.settings))
            self._wait("MinIO", lambda: create_bucket(self.settings))
        except BaseException:
            for name in missing:
                self._daemon(name).stop()
            raise

    def down(self) -> None:
        """Stop what this stack started; its data stays."""
        for name in SERVERS:
            self._daemon(name).stop()

    def running(self, name: str) -> int | None:
        """Process id of a server that this stack started and that lives."""
        return self._daemon(name).pid()

    def _daemon(self, name: str) -> Daemon:
        return Daemon(name, self.folder, START_SECONDS)

    def _start_kafka(self) -> None:
        java = installation.tool("java", "Java 17")
        folder = installation.kafka_jars()
        jars, agent = f"{folder}/*", next(folder.glob("jmx_prometheus_javaagent-*.jar"))
        home = self.folder / "kafka"
        home.mkdir(parents=True, exist_ok=True)
        properties = home / "server.properties"
        properties.write_text((self.kafka_listeners + KAFKA_SETTINGS).format(**self.ports, logs=home / "data"))
        logging = f"-Dlog4j2.configurationFile={installation.CONFIG / 'kafka-jars' / 'log4j2.properties'}"
        common = [logging, "-Djava.net.preferIPv4Stack=true", "-cp", jars]
        if not (home / "data" / "meta.properties").exists():
            fast = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
            storage = [
                "kafka.tools.StorageTool",
                "format",
                "-t",
                CLUSTER_ID,
                "-c",
                str(properties),
                *self.storage_options,
            ]
            done = subprocess.run([java, *fast, *common, *storage], capture_output=True, text=True, check=False)
            if done.returncode:
                raise StackError(f"Kafka: storage must be formatted; got {(done.stderr or done.stdout).strip()[-300:]}")
        metrics = f"-javaagent:{agent}=127.0.0.1:{self.ports['kafka_metrics']}:{MONITORING / 'kafka-jmx.yml'}"
        # As Kafka's own start scripts know it.
        options = ["-Xmx512m", "-Xms256m", *os.environ.get("KAFKA_JVM_PERFORMANCE_OPTS", "").split()]
        self._spawn("kafka", [java, *options, metrics, *common, "kafka.Kafka", str(properties)], dict(os.environ))

    def _start_minio(self) -> None:
        data = self.folder / "minio"
        data.mkdir(parents=True, exist_ok=True)
        settings = self.settings
        secrets = {"MINIO_ROOT_USER": settings.minio_access_key, "MINIO_ROOT_PASSWORD": settings.minio_secret_key}
        address, console = f"127.0.0.1:{self.ports['minio']}", f"127.0.0.1:{self.ports['console']}"
        command = [
            str(installation.minio()),
            "server",
            "--address",
            address,
            "--console-address",
            console,
            *self.minio_options,
        ]
        command.append(str(data))
        self._spawn("minio", command, dict(os.environ) | secrets | {"MINIO_PROMETHEUS_AUTH_TYPE": "public"})

    def _spawn(self, name: str, command: list[str], environ: dict[str, str]) -> None:
        print(f"{name}: starting", flush=True)
        self._daemon(name).start(command, environ)

    def _wait(self, name: str, attempt: Callable[[], None]) -> None:
        deadline = time.monotonic() + self.start_seconds
        while True:
            try:
                return attempt()
            except Exception as error:  # whatever a client raises while a server starts
                own = None if any(e.startswith(name.upper()) for e in self.external) else name.lower()
                if time.monotonic() > deadline or (own and not self.running(own)):
                    hint = f"; see {self._daemon(own).log}" if own else ""
                    raise StackError(f"{name}: must answer within {self.start_seconds} s; got {error}{hint}") from error
                time.sleep(0.3)

    def status(self) -> dict[str, str]:
        """What runs, by name, in words."""
        found = {}
        for name, (setting, _) in SERVERS.items():
            if setting in self.external:
                found[name] = f"{os.environ[setting]} (from the environment)"
            else:
                pid = self.running(name)
                found[name] = f"{self.environment[setting]} (process {pid})" if pid else "stopped"
        return found

    def healthy(self) -> bool:
        """Whether both servers answer."""
        host, _, port = self.environment["KAFKA_BOOTSTRAP_SERVERS"].split(",")[0].rpartition(":")
        try:
            socket.create_connection((host, int(port)), 3).close()
            with urllib.request.urlopen(f"{self.environment['MINIO_ENDPOINT']}/minio/health/live", timeout=3):
                return True
        except OSError:
            return False


def main(argv: list[str] | None = None) -> int:
    """Start, check or stop the stack; 0 when it is as asked."""
    parser = Parser(prog="local_stack", description=__doc__)
    parser.add_argument("action", choices=("up", "status", "down"))
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the servers' data")
    options = parser.parse_args(argv)
    stack, layers = LocalStack(options.data.resolve(), external=True), LocalLayers(options.data.resolve())
    try:
        if options.action == "up":
            stack.folder.mkdir(parents=True, exist_ok=True)
            stack.up()
        if options.action == "down":
            layers.stop()
            stack.down()
        for name, text in (stack.status() | layers.status()).items():
            print(f"{name}: {text}")
        return 0 if options.action == "down" or stack.healthy() else 1
    except (StackError, OSError) as error:
        print(f"local_stack: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
