"""A server that lets in only who has a key, and a key for everyone in the roster."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyarrow as pa
import pytest

from deployment.ports import free_port
from runtime.storage.opening import open_store
from runtime.storage.store import Store
from serving_layer.identity.api_keys import create_key
from serving_layer.identity.roster import write_roster
from tests.laws.test_merged import Platform
from tests.oracle.histories import PEOPLE, POOLS, history
from tests.serving_layer.conftest import Server, serving
from tests.serving_layer.identity.model import SECRET, Person

AUDIENCE, REDIRECT = "learning-analytics", "http://127.0.0.1/back"
LIMIT = 60
OPERATOR = "la_operator_" + "o" * 40
TEACHES = {
    "GV001": frozenset({"COURSE001"}),
    "GV002": frozenset(POOLS["course_id"][1:]),
    "GV003": frozenset({"https://lms.example/c?id='1'", "no such course"}),
}
ADVISES = {"AD001": frozenset(PEOPLE[:2]), "AD002": frozenset({"foreign/ü ☃", "a\0b", "SV003"})}


PERSONS = (
    Person("admin", ""),
    Person("service", ""),
    Person("analyst", ""),
    *(Person("lecturer", name) for name in (*TEACHES, "GV999")),
    *(Person("adviser", name) for name in (*ADVISES, "AD999")),
    *(Person("student", name) for name in ("SV001", "foreign/ü ☃", "a\0b", "SV999")),
)


@dataclass
class Closed:
    """The server, a client of it, the key of each person, and an admin's that is for one view."""

    server: Server
    http: httpx.Client
    keys: dict[Person, str]
    store: Store
    log: Store
    scoped: str

    def get(self, person: Person, path: str, **headers: str) -> httpx.Response:
        """What the person is answered."""
        return self.http.get(path, headers={"Authorization": f"Bearer {self.keys[person]}", **headers})


class Issuer:
    """An OpenID Connect server of another project, as a process."""

    def __init__(self) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """With keys of its own, which it makes at each start."""
        command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                httpx.get(f"{self.address}/.well-known/openid-configuration").raise_for_status()
                return
            except httpx.HTTPError:
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(30)

    def token(self, sub: str, client: str = AUDIENCE, **claims: Any) -> str:
        """The identity token that a login of `sub` gives, by the authorisation code flow."""
        with httpx.Client(base_url=self.address) as browser:
            browser.put(f"/users/{sub}", json=claims).raise_for_status()
            asked = {"client_id": client, "redirect_uri": REDIRECT, "response_type": "code", "scope": "openid"}
            answer = browser.post("/oauth2/authorize", params=asked, data={"sub": sub})
            code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
            got = browser.post("/oauth2/token", data=form, auth=(client, "any"))
            token: str = got.raise_for_status().json()["id_token"]
            return token


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """A running one."""
    running = Issuer()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def closed(tmp_path_factory, issuer) -> Iterator[Closed]:
    """A run and deltas, so that every layer has rows."""
    folder = tmp_path_factory.mktemp("closed")
    platform = Platform(folder, history(31, 2500), 31)
    platform.micro_batch(0.4)
    platform.run_batch(at_boundary=True)
    platform.micro_batch(0.4)
    store = open_store(str(folder / "identity"))
    write_roster(store, TEACHES, ADVISES)
    keys = {person: create_key(store, person.role, 1, person.id)[1] for person in PERSONS}
    scoped = create_key(store, "admin", 1, scope=["video_total_watch_time"])[1]
    environ = {
        "AUTHENTICATION": "required",
        "IDENTITY": str(folder / "identity"),
        "MASTER_DATASET": str(folder / "raw1"),
        "OIDC_ISSUER": issuer.address,
        "OIDC_CLIENT_SECRET": "any",
        "PSEUDONYM_KEY": SECRET,
        "OPERATOR_KEY": OPERATOR,
        "DISCLOSURE_LOG": str(folder / "disclosure"),
        "RATE_LIMIT": "0",
    }
    with serving(platform, **environ) as running, httpx.Client(base_url=running.address, timeout=60) as client:
        yield Closed(running, client, keys, store, open_store(environ["DISCLOSURE_LOG"]), scoped)


def arrow_rows(answer: httpx.Response) -> list[dict]:
    """The rows of an Arrow answer."""
    return pa.ipc.open_stream(io.BytesIO(answer.content)).read_all().to_pylist()
