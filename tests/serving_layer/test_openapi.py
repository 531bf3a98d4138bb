"""The OpenAPI, `docs/query-api.md` and the routes that were promised say the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.settings import Settings
from serving_layer.application import create_app
from serving_layer.query.parameters import FORMATS, LAYERS, MOST_VALUES, OPERATORS, RESERVED
from serving_layer.query.query import DEFAULT_LIMIT, MAX_LIMIT

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "query-api.md").read_text(encoding="utf-8")
# Other programs rely on these, whatever else there is.
PROMISED = {
    "/views": (),
    "/views/{view}": ("sort", "limit", "cursor", "fields", "layer", "format"),
    "/freshness": (),
    "/health/live": (),
    "/health/ready": (),
    "/metrics": (),
}
PROMISED_ANSWERS = {
    "/views/{view}": ["view", "columns", "rows", "total", "next", "as_of"],
    "/freshness": ["run", "cut", "head", "lag_seconds", "ledger"],
}
AS_OF = ["run", "cut", "head", "watermark", "lag_seconds"]


@pytest.fixture(scope="module")
def openapi(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openapi")
    places = {name: str(folder / name) for name in ("batch_views", "speed_views")}
    return create_app(replace(Settings.load({}), **places)).openapi()


def parameters(openapi, path: str) -> dict[str, dict]:
    return {p["name"]: p["schema"] for p in openapi["paths"][path]["get"].get("parameters", []) if p["in"] == "query"}


def test_what_was_promised_is_there(openapi):
    for path, names in PROMISED.items():
        assert set(names) <= set(parameters(openapi, path))
    for path, fields in PROMISED_ANSWERS.items():
        answer = openapi["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(fields) <= set(answer["required"]) and answer["type"] == "object"
    rows = openapi["paths"]["/views/{view}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert list(rows["properties"]["as_of"]["properties"]) == AS_OF
    assert set(rows["required"]) == set(PROMISED_ANSWERS["/views/{view}"])


def test_the_page_lists_every_route_and_no_other(openapi):
    assert set(re.findall(r"^\| `(?:GET|POST) ([^`]+)`", PAGE, re.MULTILINE)) == set(openapi["paths"])


def test_the_page_names_every_parameter(openapi):
    section = PAGE.split("## Rows of a view")[1].split("**Pages agree.**")[0]
    rows = re.findall(r"^\| (.+?) \|", section, re.MULTILINE)[2:]
    named = {name for row in rows for name in re.findall(r"`(?!COLUMN)(\w+)", row) if name != "false"}
    assert named == set(parameters(openapi, "/views/{view}")) == set(RESERVED)
    operators = {name for row in rows for name in re.findall(r"COLUMN__(\w+)", row)}
    assert operators == {*OPERATORS, "in", "isnull"}
    windows = PAGE.split("## Real-time windows")[1].split("##")[0]
    assert all(f"`{name}`" in windows for name in parameters(openapi, "/realtime/{name}"))


def test_the_page_names_every_choice(openapi):
    known = parameters(openapi, "/views/{view}")
    for name, choices in (("layer", LAYERS), ("format", FORMATS)):
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
        assert all(f"`{choice}`" in row for choice in choices) and known[name]["enum"] == list(choices)
    assert f"1 to {MAX_LIMIT:,}; {DEFAULT_LIMIT} by default" in PAGE and f"at most {MOST_VALUES:,} values" in PAGE
    assert (known["limit"]["minimum"], known["limit"]["maximum"]) == (1, MAX_LIMIT)


def test_the_page_names_every_error(openapi):
    declared = {
        status
        for path in openapi["paths"].values()
        for operation in path.values()
        for status in operation["responses"]
        if int(status) >= 400
    }
    assert set(re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)) == declared
    assert "304" in PAGE and "304" in openapi["paths"]["/views/{view}"]["get"]["responses"]


def test_the_page_names_what_an_answer_covers():
    assert json.dumps(AS_OF)[1:-1] in PAGE
