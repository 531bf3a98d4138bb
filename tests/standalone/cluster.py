"""Spark standalone on this machine: a master, and workers with a core and a limit of memory each, as processes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pyspark

from deployment.ports import free_port
from tests.benchmarks.process import tree

LIMIT = 180
SPARK = Path(pyspark.__file__).parent
HOST = "127.0.0.1"
# Each task is tried twice beside each other as often as Spark can be made to.
PROPERTIES = """\
spark.executor.memory 512m
spark.executor.cores 1
spark.speculation true
spark.speculation.interval 100ms
spark.speculation.multiplier 1.01
spark.speculation.quantile 0.1
spark.ui.showConsoleProgress false
"""


class Standalone:
    """A cluster whose files are below `folder`. `environment` are the settings by which a layer runs on it."""

    def __init__(self, folder: Path, properties: str = PROPERTIES) -> None:
        self.folder = folder
        self.port, self.pages = free_port(), free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        conf = folder / "conf"
        conf.mkdir(parents=True)
        (conf / "spark-defaults.conf").write_text(properties)
        self.environment = {
            "SPARK_MASTER": f"spark://{HOST}:{self.port}",
            "SPARK_CONF_DIR": str(conf),
            "SPARK_LOCAL_IP": HOST,
            "TASK_MEMORY": "400MB",
            "SPARK_DRIVER_MEMORY": "512m",
        }

    def up(self, workers: int = 2) -> None:
        """Start the master and workers; RuntimeError where they don't come up."""
        self._start("master", "master.Master", "--port", str(self.port), "--webui-port", str(self.pages))
        for number in range(workers):
            self.add(f"worker-{number}")
        self.wait(workers)

    def add(self, name: str) -> None:
        """Start a worker of this name."""
        limits = ("--cores", "1", "--memory", "1g", "--work-dir", str(self.folder / name))
        where = ("--port", str(free_port()), "--webui-port", str(free_port()), self.environment["SPARK_MASTER"])
        self._start(name, "worker.Worker", *limits, *where)

    def wait(self, workers: int) -> None:
        """Until the master has so many workers."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            if self.alive() == workers:
                return
            time.sleep(0.2)
        raise RuntimeError(f"Spark: {workers} workers must come up within {LIMIT} s; {self.alive()} did")

    def alive(self) -> int:
        """How many workers the master has."""
        with suppress(OSError), urllib.request.urlopen(f"http://{HOST}:{self.pages}/json/", timeout=5) as answer:
            return answer.read().count(b'"ALIVE"') - 1  # the master itself is one
        return 0

    def executors(self, name: str) -> list[int]:
        """The processes that a worker has started."""
        return tree(self.processes[name].pid)[1:]

    def kill(self, name: str) -> None:
        """Let a worker's machine go away: it, its executors and their Python, all at once and without a word."""
        for pid in tree(self.processes[name].pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.processes.pop(name).wait(30)

    def down(self) -> None:
        """End everything."""
        for name in sorted(self.processes, reverse=True):
            self.kill(name)

    def _start(self, name: str, module: str, *options: str) -> None:
        environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environ |= {"SPARK_HOME": str(SPARK), "SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": HOST}
        command = [str(SPARK / "bin" / "spark-class"), f"org.apache.spark.deploy.{module}", "--host", HOST, *options]
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(command, cwd=self.folder, env=environ, stdout=log, stderr=log)
