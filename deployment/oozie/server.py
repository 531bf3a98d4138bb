"""Oozie with HDFS and YARN: `python -m deployment.oozie.server up|run|status|down`.

Its state stays under `.local/oozie/` between runs. It listens on loopback only, unless `--host` names the address under
which others reach it. `run` stays in the foreground until it is told to stop, for a container.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from deployment import installation
from deployment.daemon import Daemon
from deployment.installation import StackError
from deployment.oozie import configuration
from deployment.oozie.assembly import ENGINE_JARS, JVM, commands, oozie_home
from deployment.ports import check_free, free_ports
from runtime.command_line import Parser

ROOT = Path(__file__).resolve().parents[2]
PORTS = {
    "oozie": 11000,
    "namenode": 8020,
    "namenode_http": 9870,
    "datanode": 9866,
    "datanode_http": 9864,
    "datanode_ipc": 9867,
    "resourcemanager": 8032,
    "scheduler": 8030,
    "tracker": 8031,
    "admin": 8033,
    "resourcemanager_http": 8088,
    "nodemanager": 8041,
    "localizer": 8040,
    "nodemanager_http": 8042,
}
HADOOP = {
    "namenode": "org.apache.hadoop.hdfs.server.namenode.NameNode",
    "datanode": "org.apache.hadoop.hdfs.server.datanode.DataNode",
    "resourcemanager": "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    "nodemanager": "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
}
START_SECONDS = 120
WATCH_SECONDS = 5
# Answers of Oozie that may fail to come in a row; each has 5 s.
MISSES = 12


class OozieServer:
    """Oozie, HDFS and YARN with their state under `folder`, on free ports where `ports` is None.

    `retries` bounds the retries of an action, whatever its workflow asks for. Jobs see the settings of `environ`.
    """

    def __init__(
        self,
        folder: Path,
        ports: dict[str, int] | None = None,
        host: str = "localhost",
        retries: int = 3,
        environ: dict[str, str] | None = None,
    ):
        self.folder = folder
        self.ports = ports or free_ports(PORTS)
        self.host = host
        self._retries = retries
        # A job's `python` is the first on the node's PATH: this very one, which has what the jobs import.
        found = dict(os.environ if environ is None else environ)
        self._environ = found | {"PATH": f"{Path(sys.executable).parent}:{found.get('PATH', '')}"}

    @property
    def url(self) -> str:
        """What clients call OOZIE_URL."""
        return f"http://{self.host}:{self.ports['oozie']}/oozie"

    @property
    def name_node(self) -> str:
        """What properties files call nameNode."""
        return f"hdfs://{self.host}:{self.ports['namenode']}"

    @property
    def resource_manager(self) -> str:
        """What properties files call resourceManager."""
        return f"{self.host}:{self.ports['resourcemanager']}"

    def up(self) -> None:
        """Start what isn't running and wait until Oozie takes jobs; safe to repeat. Raises StackError."""
        installation.tool("java", "Java 17")
        commands()
        for name in ("logs", "data"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if self.answers():
            return
        if not any(self._daemon(name).pid() for name in (*HADOOP, "oozie")):
            check_free(self.ports)
        self._configure()
        self._format()
        for name, main in HADOOP.items():
            self._daemon(name).start(self._java(256, self._hadoop_path(), main), self._environ)
        self._make_database()
        self._wait("YARN", ("resourcemanager", "nodemanager"), self._has_nodes)
        self._wait("HDFS", ("namenode", "datanode"), self._share_engine)
        server = self._oozie_java("org.apache.oozie.server.EmbeddedOozieServer")
        self._daemon("oozie").start(server, self._environ)
        self._wait("Oozie", ("oozie",), self.answers)

    def watch(self, stop: threading.Event) -> None:
        """Return when `stop` is set; StackError when a process has ended, or Oozie doesn't answer for a while."""
        missed = 0
        while not stop.wait(WATCH_SECONDS):
            for name in (*HADOOP, "oozie"):
                if not self._daemon(name).pid():
                    raise StackError(f"{name}: must keep running; it ended, see {self._daemon(name).log}")
            missed = 0 if self.answers() else missed + 1
            if missed == MISSES:
                raise StackError(f"Oozie: must keep answering at {self.url}; it missed {missed} times in a row")

    def down(self) -> None:
        """Stop what was started here; its state stays."""
        for name in ("oozie", *reversed(HADOOP)):
            self._daemon(name).stop()

    def status(self) -> dict[str, str]:
        """What runs, by name, in words."""
        pids = {name: self._daemon(name).pid() for name in (*HADOOP, "oozie")}
        return {
            name: f"{self.host}:{self.ports[name]} (process {pid})" if pid else "stopped" for name, pid in pids.items()
        }

    def answers(self) -> bool:
        """Whether Oozie takes jobs."""
        return self._daemon("oozie").pid() is not None and '"NORMAL"' in _get(f"{self.url}/v2/admin/status")

    def _daemon(self, name: str) -> Daemon:
        return Daemon(name, self.folder)

    def _configure(self) -> None:
        texts = {name: str(port) for name, port in self.ports.items()}
        texts |= {"host": self.host, "bind": "127.0.0.1" if self.host == "localhost" else "0.0.0.0"}
        texts |= {"jars": str(installation.hadoop_jars()), "retries": str(self._retries)}
        configuration.write(self.folder, texts)
        web = self.folder / "embedded-oozie-server" / "webapp"
        if not web.exists():
            shutil.copytree(oozie_home() / "webapp", web)

    def _hadoop_path(self) -> str:
        return f"{self.folder / 'conf'}:{installation.hadoop_jars()}/*"

    def _java(self, megabytes: int, class_path: str, *rest: str) -> list[str]:
        return ["java", f"-Xmx{megabytes}m", *JVM, f"-Dhadoop.log.dir={self.folder / 'logs'}", "-cp", class_path, *rest]

    def _oozie_java(self, *rest: str) -> list[str]:
        options = {
            "home.dir": self.folder,
            "config.dir": self.folder / "conf",
            "log.dir": self.folder / "logs",
            "data.dir": self.folder / "data",
            "instance.id": self.host,
            "config.file": "oozie-site.xml",
            "log4j.file": "oozie-log4j.properties",
            "log4j.reload": 60,
        }
        path = f"{oozie_home()}/lib/*:{self.folder / 'embedded-oozie-server'}"
        derby = f"-Dderby.stream.error.file={self.folder / 'logs' / 'derby.log'}"
        return self._java(512, path, derby, *(f"-Doozie.{key}={value}" for key, value in options.items()), *rest)

    def _format(self) -> None:
        if not (self.folder / "data" / "name" / "current").exists():
            format_ = (HADOOP["namenode"], "-format", "-force", "-nonInteractive")
            self._run("HDFS: formatting", self._java(256, self._hadoop_path(), *format_))

    def _make_database(self) -> None:
        made = self.folder / "data" / "database.made"
        if not made.exists():
            script = str(self.folder / "logs" / "oozie.sql")
            create = ("org.apache.oozie.tools.OozieDBCLI", "create", "-run", "-sqlfile", script)
            self._run("Oozie: making the database", self._oozie_java(*create))
            made.touch()

    def _share_engine(self) -> bool:
        """Put Oozie's launcher into HDFS, once; false while HDFS doesn't take files."""
        made = self.folder / "data" / "sharelib.made"
        if '"NumLiveDataNodes" : 1' not in _get(self._name_node_beans()):
            return False
        if not made.exists():
            with tempfile.TemporaryDirectory() as folder:
                target = Path(folder) / "lib" / "oozie"
                target.mkdir(parents=True)
                for jar in ENGINE_JARS:
                    shutil.copy2(oozie_home() / "lib" / jar, target)
                create = (
                    "org.apache.oozie.tools.OozieSharelibCLI",
                    "create",
                    "-fs",
                    self.name_node,
                    "-locallib",
                    folder,
                )
                self._run("Oozie: uploading the launcher", self._oozie_java(*create))
            made.touch()
        return True

    def _name_node_beans(self) -> str:
        port = self.ports["namenode_http"]
        return f"http://{self.host}:{port}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"

    def _has_nodes(self) -> bool:
        return '"RUNNING"' in _get(f"http://{self.host}:{self.ports['resourcemanager_http']}/ws/v1/cluster/nodes")

    def _run(self, what: str, command: Sequence[str]) -> None:
        done = subprocess.run(command, env=self._environ, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["no output"]
            raise StackError(f"{what} must succeed; got exit status {done.returncode}: {last[0]}")

    def _wait(self, what: str, names: Sequence[str], ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            gone = [name for name in names if not self._daemon(name).pid()]
            if gone or time.monotonic() > deadline:
                why = f"{gone[0]} ended" if gone else "it didn't"
                log = self._daemon(gone[0] if gone else names[0]).log
                raise StackError(f"{what}: must be ready within {START_SECONDS} s; {why}, see {log}")
            time.sleep(0.5)


def _get(url: str) -> str:
    """The body of an answer; empty where there is none yet."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            body: bytes = answer.read()
            return body.decode(errors="replace")
    except (OSError, urllib.error.URLError):
        return ""


def main(argv: list[str] | None = None) -> int:
    """Start, check or stop Oozie; 0 when it is as asked."""
    parser = Parser(prog="oozie.server", description=__doc__)
    parser.add_argument("action", choices=("up", "run", "status", "down"))
    parser.add_argument("--data", type=Path, default=ROOT / ".local" / "oozie", help="folder of the servers' state")
    parser.add_argument("--host", default="localhost", help="name under which others reach the servers")
    parser.add_argument("--port", type=int, default=PORTS["oozie"], help="Oozie's port")
    options = parser.parse_args(argv)
    server = OozieServer(options.data.resolve(), PORTS | {"oozie": options.port}, options.host)
    try:
        if options.action in ("up", "run"):
            server.up()
        if options.action == "run":
            stop = threading.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
            print(f"Oozie: {server.url}", flush=True)
            try:
                server.watch(stop)
            finally:
                server.down()
            return 0
        if options.action == "down":
            server.down()
            return 0
    except (StackError, OSError) as error:
        print(f"oozie: {error}", file=sys.stderr)
        return 1
    for name, text in server.status().items():
        print(f"{name}: {text}")
    if server.answers():
        print(f"command lines: PATH={commands()}:$PATH, user {getpass.getuser()}")
    return 0 if server.answers() else 1


if __name__ == "__main__":
    sys.exit(main())
