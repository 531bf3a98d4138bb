"""A Superset on loopback with its own data in SQLite, and its REST API as a client uses it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from deployment.ports import free_port
from tests.superset.installation import superset

LIMIT = 300
CONFIGURATION = """\
SECRET_KEY = "{secret}"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
FAB_ADD_SECURITY_API = True
TALISMAN_ENABLED = False
"""


class Superset:
    """The server, with an admin of that name, who exists in the database too."""

    def __init__(self, folder: Path, admin: str):
        self.folder, self.port, self.password = folder, free_port(), secrets.token_hex(16)
        self.programs = superset()
        configuration = folder / "superset_config.py"
        configuration.write_text(CONFIGURATION.format(secret=secrets.token_hex(32), folder=folder))
        self.environ = os.environ | {
            "SUPERSET_CONFIG_PATH": str(configuration),
            "SUPERSET_HOME": str(folder),
            "FLASK_APP": "superset.app:create_app()",
        }
        self._run("db", "upgrade")
        person = ["--username", admin, "--firstname", admin, "--lastname", "x", "--email", f"{admin}@x.invalid"]
        self._run("fab", "create-admin", *person, "--password", self.password)
        self._run("init")
        command = [str(self.programs / "superset"), "run", "--host", "127.0.0.1", "--port", str(self.port)]
        with open(folder / "server.out", "wb") as log:
            self.process = subprocess.Popen(
                [*command, "--with-threads"], env=self.environ, stdout=log, stderr=log, cwd=folder
            )
        self.address = f"http://127.0.0.1:{self.port}"

    def _run(self, *arguments: str) -> None:
        command = [str(self.programs / "superset"), *arguments]
        done = subprocess.run(command, env=self.environ, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (arguments, done.stdout[-2000:], done.stderr[-4000:])

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                if httpx.get(f"{self.address}/health", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, (self.folder / "server.out").read_text()[-4000:]
            assert time.monotonic() < deadline, f"Superset must be ready within {LIMIT} s"
            time.sleep(0.3)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(60)


class User:
    """Somebody who is logged in to the REST API."""

    def __init__(self, server: Superset, name: str):
        self.client = httpx.Client(base_url=f"{server.address}/api/v1/", timeout=LIMIT)
        login = {"username": name, "password": server.password, "provider": "db", "refresh": False}
        token = self.client.post("security/login", json=login).raise_for_status().json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"
        csrf = self.client.get("security/csrf_token/").raise_for_status().json()["result"]
        self.client.headers.update({"X-CSRFToken": csrf, "Referer": server.address})

    def made(self, kind: str, **what: Any) -> int:
        """The id of something new."""
        answer = self.client.post(f"{kind}/", json=what)
        assert answer.status_code == 201, (kind, answer.status_code, answer.text)
        return int(answer.json()["id"])

    def chart(self, dataset: int, columns: list[str], **query: Any) -> int:
        """A new table of a dataset."""
        asked = {"columns": columns, "metrics": [], "row_limit": 10_000, "orderby": [], **query}
        context = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": [asked],
            "result_format": "json",
            "result_type": "full",
        }
        return self.made(
            "chart",
            slice_name=f"rows of {dataset}",
            viz_type="table",
            datasource_id=dataset,
            datasource_type="table",
            params=json.dumps({"viz_type": "table", "datasource": f"{dataset}__table"}),
            query_context=json.dumps(context),
        )

    def data(self, chart: int) -> list[dict[str, Any]]:
        """What a chart shows."""
        answer = self.client.get(f"chart/{chart}/data/", params={"force": "true"})
        assert answer.status_code == 200, (answer.status_code, answer.text[:2000])
        (found,) = answer.json()["result"]
        return list(found["data"])
