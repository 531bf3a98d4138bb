"""A real PostgreSQL on loopback, in a folder of its own, stopped by its process."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deployment.packages import need
from deployment.ports import free_port
from tests.serving_layer.projection.projected import Projected

LIMIT = 120
OWNER = "projector"


class Postgres:
    """The server, and the address of a fresh database for each test, whose owner is no superuser."""

    def __init__(self) -> None:
        need("pg_lsclusters", "postgresql")
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        # The server refuses root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self.port, self.databases = free_port(), 0
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "-D", str(self.folder / "data"))
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data")]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL, **self._as_user())
        self._wait()
        with self.superuser() as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN")

    def _as_user(self) -> dict:
        return {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **self._as_user())
        assert done.returncode == 0, done.stderr

    def _wait(self) -> None:
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                return self.superuser().close()
            except psycopg.OperationalError:
                assert self.process.poll() is None and time.monotonic() < deadline, f"must be ready within {LIMIT} s"
                time.sleep(0.1)

    def address(self, user: str = OWNER, database: str = "postgres") -> str:
        """Where to connect to."""
        return f"host=127.0.0.1 port={self.port} user={user} dbname={database}"

    def superuser(self, database: str = "postgres") -> psycopg.Connection:
        """A connection that may do anything and sees every row."""
        return psycopg.connect(self.address("postgres", database), autocommit=True)

    def fresh(self) -> str:
        """The name of a new database, which OWNER owns."""
        self.databases += 1
        name = f"test{self.databases}"
        with self.superuser() as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        return name

    def stop(self) -> None:
        """End the server, whoever is connected."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The one that tests share."""
    yield from running_postgres()


def running_postgres() -> Iterator[Postgres]:
    """A running PostgreSQL, stopped at the end."""
    running = Postgres()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def projected(postgres, tmp_path):
    found = Projected(postgres, tmp_path, 21)
    try:
        yield found
    finally:
        found.stop()
