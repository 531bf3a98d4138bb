"""The dashboard is served with its script and style sheet, and with a policy that allows those alone."""

from __future__ import annotations

import asyncio
import gzip
import re
from pathlib import Path

import httpx
from fastapi import FastAPI

from serving_layer.routes import dashboard


def built(folder: Path) -> Path:
    (folder / "index.html").write_text('<!doctype html><script src="dashboard/app-1.js"></script>', encoding="utf-8")
    (folder / "app-1.js").write_text("1", encoding="utf-8")
    (folder / "app-1.js.gz").write_bytes(gzip.compress(b"1"))
    return folder


class Client:
    """Asks an application that has the dashboard of a folder."""

    def __init__(self, folder: Path) -> None:
        app = FastAPI()
        dashboard.add(app, folder)
        self.transport = httpx.ASGITransport(app)

    def get(self, path: str, accepts: str = "identity") -> httpx.Response:
        """The answer to one request."""

        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://test") as http:
                return await http.get(path, headers={"Accept-Encoding": accepts})

        return asyncio.run(asked())


def test_the_page_and_what_it_names(tmp_path):
    http = Client(built(tmp_path))
    page = http.get("/")
    assert page.status_code == 200 and page.headers["cache-control"] == "no-cache"
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert "unsafe" not in page.headers["content-security-policy"]
    (name,) = re.findall(r'src="([^"]+)"', page.text)
    script = http.get(f"/{name}")
    assert script.text == "1" and "immutable" in script.headers["cache-control"]
    assert http.get("/links").status_code == 200


def test_a_script_is_compressed_once(tmp_path):
    http = Client(built(tmp_path))
    plain, zipped = (http.get("/dashboard/app-1.js", accepts) for accepts in ("identity", "gzip"))
    assert "content-encoding" not in plain.headers and zipped.headers["content-encoding"] == "gzip"
    assert http.get("/dashboard/app-1.js.gz").status_code == 404
    assert int(zipped.headers["content-length"]) == (tmp_path / "app-1.js.gz").stat().st_size
    for answer in (plain, zipped):
        assert answer.text == "1" and answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
    (tmp_path / "app-1.js.gz").unlink()
    assert http.get("/dashboard/app-1.js", "gzip").text == "1"


def test_no_file_beside_it_is_served(tmp_path):
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (tmp_path / "built").mkdir()
    http = Client(built(tmp_path / "built"))
    for path in ("/dashboard/../secret", "/dashboard/%2e%2e/secret", "/dashboard/..%2fsecret", "/dashboard/"):
        assert http.get(path).status_code == 404


def test_without_a_bundle_the_links_stand_in_its_place(tmp_path):
    http = Client(tmp_path)
    assert http.get("/").text == http.get("/links").text
    assert http.get("/dashboard/app-1.js").status_code == 404
