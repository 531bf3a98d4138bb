"""A real HDFS for tests: a name node and a data node on free ports, their state in one folder."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from pathlib import Path

from deployment import installation
from deployment.daemon import Daemon
from deployment.oozie import configuration
from deployment.oozie.assembly import JVM
from deployment.oozie.server import HADOOP, PORTS
from deployment.ports import free_ports

DAEMONS = ("namenode", "datanode")
START_SECONDS = 120


class Hdfs:
    """`uri` is its root; `environment` names it to the platform's programs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, free_ports(PORTS)
        self.uri = f"hdfs://localhost:{self.ports['namenode']}"
        self.environment = {
            "HDFS_HTTP_PORT": str(self.ports["namenode_http"]),
            "HDFS_MASTER_DATASET": f"{self.uri}/master_dataset",
        }

    def up(self) -> None:
        """Start both and wait until files can be written."""
        for name in ("logs", "data"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        texts = {name: str(port) for name, port in self.ports.items()}
        jars = {"jars": str(installation.hadoop_jars()), "retries": "1"}
        configuration.write(self.folder, texts | jars | {"host": "localhost", "bind": "127.0.0.1"})
        formatting = self._java(HADOOP["namenode"], "-format", "-force", "-nonInteractive")
        done = subprocess.run(formatting, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        assert done.returncode == 0, done.stderr[-500:]
        for name in DAEMONS:
            self._daemon(name).start(self._java(HADOOP[name]), os.environ)
        deadline = time.monotonic() + START_SECONDS
        while not self._takes_files():
            assert time.monotonic() < deadline and all(self._daemon(n).pid() for n in DAEMONS), self.folder / "logs"
            time.sleep(0.3)

    def down(self) -> None:
        """Stop both."""
        for name in reversed(DAEMONS):
            self._daemon(name).stop()

    def _daemon(self, name: str) -> Daemon:
        return Daemon(name, self.folder)

    def _java(self, main: str, *rest: str) -> list[str]:
        fast = ("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", f"-Dhadoop.log.dir={self.folder / 'logs'}")
        return ["java", *fast, *JVM, "-cp", f"{self.folder / 'conf'}:{installation.hadoop_jars()}/*", main, *rest]

    def _takes_files(self) -> bool:
        beans = "jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
        try:
            with urllib.request.urlopen(f"http://localhost:{self.ports['namenode_http']}/{beans}", timeout=5) as answer:
                return b'"NumLiveDataNodes" : 1' in answer.read()
        except OSError:
            return False
