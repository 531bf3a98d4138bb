"""S3 stores of others on this machine, and the suite of `docs/stores.md` against them.

`python -m tests.stack.second_stores versitygw seaweedfs`: each is compiled from its Go module once per machine, by that
module's own pins, and listens on loopback alone, with keys that are made for the run.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from deployment.daemon import Daemon
from deployment.installation import StackError, run, tool
from deployment.ports import free_ports
from deployment.provision import create_bucket
from runtime.settings import Settings, cache_folder

ROOT = Path(__file__).resolve().parents[2]
SUITE = "tests/stack/test_store_conformance.py"
START_SECONDS = 120


class SecondStore(ABC):
    """A server with its data in a folder, on free ports. `MODULE` at its version has the program in `PACKAGE`."""

    NAME: ClassVar[str]
    MODULE: ClassVar[str]
    PACKAGE: ClassVar[str]
    PORTS: ClassVar[tuple[str, ...]] = ("s3",)

    def __init__(self, folder: Path):
        self.folder = folder
        self.ports = free_ports(self.PORTS)
        self.keys = {"MINIO_ACCESS_KEY": "platform", "MINIO_SECRET_KEY": secrets.token_hex(24)}
        self.daemon = Daemon(self.NAME, folder)

    @classmethod
    def program(cls) -> Path:
        """Its program, compiled where it isn't there: inside of its module, whose go.mod may replace others."""
        binary = cache_folder() / "bin" / f"{cls.NAME}-{cls.MODULE.rpartition('@')[2]}"
        if not binary.exists():
            go = tool("go", "Go 1.26.6 or later")
            print(f"{cls.NAME}: compiling the server from source, once per machine", flush=True)
            told = subprocess.run(
                [go, "mod", "download", "-json", cls.MODULE], capture_output=True, text=True, check=False
            )
            if told.returncode:
                raise StackError(f"{cls.NAME}: its module must be had; got {told.stdout}{told.stderr}")
            environ = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
            binary.parent.mkdir(parents=True, exist_ok=True)
            half = binary.with_name(f"{binary.name}.half")
            build = [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(half), cls.PACKAGE]
            run(build, cls.NAME, environ, Path(json.loads(told.stdout)["Dir"]))
            half.rename(binary)
        return binary

    @property
    def environment(self) -> dict[str, str]:
        """The settings that name it."""
        return {"MINIO_ENDPOINT": f"http://127.0.0.1:{self.ports['s3']}", **self.keys}

    @abstractmethod
    def command(self, data: Path) -> tuple[list[str], dict[str, str]]:
        """What starts it over the folder `data`, and what it needs in its environment."""

    def up(self) -> None:
        """Start it and make the bucket. StackError where it doesn't answer."""
        data = self.folder / "data"
        data.mkdir()
        command, environ = self.command(data)
        self.daemon.start([str(self.program()), *command], os.environ | environ)
        deadline = time.monotonic() + START_SECONDS
        settings = Settings.load({**os.environ, **self.environment})
        while True:
            try:
                return create_bucket(settings)
            except Exception as error:  # whatever a client raises while a server starts
                if time.monotonic() > deadline or not self.daemon.pid():
                    said = self.daemon.log.read_text(errors="replace")[-2000:]
                    raise StackError(f"{self.NAME}: must answer; got {error}\n{said}") from error
                time.sleep(0.5)

    def down(self) -> None:
        """Stop it."""
        self.daemon.stop()


class SeaweedFs(SecondStore):
    """A distributed store: master, volume server, filer and S3 gateway in one process."""

    NAME = "seaweedfs"
    MODULE = "github.com/seaweedfs/seaweedfs@v0.0.0-20261109003541-7506e5f91cd6"
    PACKAGE = "./weed"
    SERVERS = ("master", "volume", "filer", "s3")
    PORTS = (*SERVERS, "master.grpc", "volume.grpc", "filer.grpc", "s3.grpc")

    def command(self, data: Path) -> tuple[list[str], dict[str, str]]:
        """One server of each kind."""
        who = {"accessKey": self.keys["MINIO_ACCESS_KEY"], "secretKey": self.keys["MINIO_SECRET_KEY"]}
        identity = {"name": "platform", "credentials": [who], "actions": ["Admin", "Read", "Write", "List"]}
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        command = ["server", "-s3", f"-s3.config={config}", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        command += ["-volume.max=100", "-master.volumeSizeLimitMB=64", "-volume.preStopSeconds=0"]
        for name in self.SERVERS:
            command += [f"-{name}.port={self.ports[name]}", f"-{name}.port.grpc={self.ports[f'{name}.grpc']}"]
        return command, {}


class VersityGateway(SecondStore):
    """Versity's gateway over a folder: an object is a file, its tag an attribute of that."""

    NAME = "versitygw"
    MODULE = "github.com/versity/versitygw@v1.8.0"
    PACKAGE = "./cmd/versitygw"

    def command(self, data: Path) -> tuple[list[str], dict[str, str]]:
        """The gateway of a folder; its keys stand in the environment."""
        root = {"ROOT_ACCESS_KEY": self.keys["MINIO_ACCESS_KEY"], "ROOT_SECRET_KEY": self.keys["MINIO_SECRET_KEY"]}
        return ["--port", f"127.0.0.1:{self.ports['s3']}", "posix", str(data)], root


STORES = {store.NAME: store for store in (VersityGateway, SeaweedFs)}


def main(names: list[str]) -> int:
    """Run the suite against each; pytest's first bad status, 2 for a name that is none."""
    worst = 0
    for name in names or list(STORES):
        if name not in STORES:
            print(f"second_stores: must be of {', '.join(STORES)}; got {name!r}", file=sys.stderr)
            return 2
        with tempfile.TemporaryDirectory() as folder:
            store = STORES[name](Path(folder))
            try:
                store.up()
                print(f"{name}: {store.MODULE}", flush=True)
                command = [sys.executable, "-m", "pytest", "-q", "-rA", SUITE]
                done = subprocess.run(command, cwd=ROOT, env=os.environ | store.environment, check=False)
                worst = worst or done.returncode
            finally:
                store.down()
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
