"""The page of links: it leads to what there is, and needs and allows nothing from elsewhere."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

from catalogue.views import VIEWS
from catalogue.views.windows import WINDOWS


def test_every_link_leads_somewhere(http):
    answer = http.get("/links")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    links = re.findall(r'href="([^"]+)"', answer.text)
    assert {"/docs", "/views", "/freshness", "/health/ready"} <= set(links)
    assert {f"/views/{name}?limit=20" for name in VIEWS} <= set(links)
    assert {f"/realtime/{name}" for name in WINDOWS} <= set(links)
    assert [http.get(link).status_code for link in links] == [200] * len(links)


def test_it_allows_nothing_from_elsewhere(http):
    answer = http.get("/links")
    assert not re.search(r"src=|https?:|<script|javascript:", answer.text)
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    style = re.search(r"<style>(.*)</style>", answer.text, re.DOTALL)
    assert style and policy["style-src"] == f"'sha256-{b64encode(sha256(style[1].encode()).digest()).decode()}'"
    assert "style=" not in answer.text, "the policy doesn't allow styles of single elements"
