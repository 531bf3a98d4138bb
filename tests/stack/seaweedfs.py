"""SeaweedFS on this machine, and the suite of `docs/stores.md` against it: `python -m tests.stack.seaweedfs`.

It is compiled from its Go module once per machine, by that module's own pins, and listens on loopback alone.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deployment.daemon import Daemon
from deployment.installation import StackError, run, tool
from deployment.ports import free_ports
from deployment.provision import create_bucket
from runtime.settings import Settings, cache_folder

ROOT = Path(__file__).resolve().parents[2]
MODULE = "github.com/seaweedfs/seaweedfs@v0.0.0-20261109003541-7506e5f91cd6"
SUITE = "tests/stack/test_store_conformance.py"
SERVERS = ("master", "volume", "filer", "s3")
START_SECONDS = 120


def program() -> Path:
    """SeaweedFS' program, compiled where it isn't there: inside of its module, as its go.mod replaces another."""
    binary = cache_folder() / "bin" / "weed"
    if not binary.exists():
        go = tool("go", "Go 1.26.6 or later")
        print("SeaweedFS: compiling the server from source, once per machine (10 to 20 minutes)", flush=True)
        told = subprocess.run([go, "mod", "download", "-json", MODULE], capture_output=True, text=True, check=False)
        if told.returncode:
            raise StackError(f"SeaweedFS: its module must be had; got {told.stdout}{told.stderr}")
        environ = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
        half = binary.with_suffix(".half")
        build = [go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(half), "./weed"]
        run(build, "SeaweedFS", environ, Path(json.loads(told.stdout)["Dir"]))
        half.rename(binary)
    return binary


class SeaweedFs:
    """A server with its data in a folder, on free ports."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ports = free_ports([*SERVERS, *(f"{name}.grpc" for name in SERVERS)])
        self.keys = {"MINIO_ACCESS_KEY": "platform", "MINIO_SECRET_KEY": secrets.token_hex(24)}
        self.daemon = Daemon("seaweedfs", folder)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that name it."""
        return {"MINIO_ENDPOINT": f"http://127.0.0.1:{self.ports['s3']}", **self.keys}

    def up(self) -> None:
        """Start it and make the bucket. StackError where it doesn't answer."""
        who = {"accessKey": self.keys["MINIO_ACCESS_KEY"], "secretKey": self.keys["MINIO_SECRET_KEY"]}
        identity = {"name": "platform", "credentials": [who], "actions": ["Admin", "Read", "Write", "List"]}
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        data = self.folder / "data"
        data.mkdir()
        command = [str(program()), "server", "-s3", f"-s3.config={config}", f"-dir={data}"]
        command += [
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-volume.max=100",
            "-master.volumeSizeLimitMB=64",
            "-volume.preStopSeconds=0",
        ]
        for name in SERVERS:
            command += [f"-{name}.port={self.ports[name]}", f"-{name}.port.grpc={self.ports[f'{name}.grpc']}"]
        self.daemon.start(command, os.environ)
        deadline = time.monotonic() + START_SECONDS
        settings = Settings.load({**os.environ, **self.environment})
        while True:
            try:
                return create_bucket(settings)
            except Exception as error:  # whatever a client raises while a server starts
                if time.monotonic() > deadline or not self.daemon.pid():
                    said = self.daemon.log.read_text(errors="replace")[-2000:]
                    raise StackError(f"SeaweedFS: must answer; got {error}\n{said}") from error
                time.sleep(0.5)

    def down(self) -> None:
        """Stop it."""
        self.daemon.stop()


def main() -> int:
    """Run the suite; pytest's status."""
    with tempfile.TemporaryDirectory() as name:
        store = SeaweedFs(Path(name))
        try:
            store.up()
            print(subprocess.run([str(program()), "version"], capture_output=True, text=True, check=True).stdout)
            command = [sys.executable, "-m", "pytest", "-q", *(sys.argv[1:] or ["-ra"]), SUITE]
            return subprocess.run(command, cwd=ROOT, env=os.environ | store.environment, check=False).returncode
        finally:
            store.down()


if __name__ == "__main__":
    sys.exit(main())
