"""Random triples of roster, role and request, against the application itself, below HTTP.

`python -m tests.serving_layer.identity.triples --triples 100000 --seed 1`: each answer is compared with what `model.py`
says may be seen, and the note of it in the log of disclosures with the people in it. It ends at the first leak.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from catalogue.views import VIEWS
from runtime.settings import Settings
from runtime.storage.opening import open_store
from serving_layer.application import create_app
from serving_layer.identity.api_keys import create_key
from serving_layer.identity.roster import Roster
from tests.laws.test_merged import Platform
from tests.oracle.histories import PEOPLE, POOLS, history
from tests.serving_layer.identity.model import (
    SECRET,
    Person,
    Row,
    asked,
    person_column,
    place,
    pseudonym,
    sees_groups,
    suits,
    visible,
)  # fmt: skip

LAYERS = ("merged", "batch", "speed")
STRANGERS = ("SV999", "no such course", "", "%", "' OR 1=1 --")
# Requests between two rosters.
ROSTER_LASTS = 20
PERSONS = (
    *(Person(role, "") for role in ("admin", "service", "analyst")),
    *(Person("lecturer", f"GV{n:03}") for n in range(1, 5)),
    *(Person("adviser", f"AD{n:03}") for n in range(1, 5)),
    *(Person("student", name) for name in (*PEOPLE, "SV999")),
)


class Triples:
    """The application over a run and deltas, and what it answers to random people."""

    def __init__(self, folder: Path, seed: int):
        self.rng = Random(seed)
        platform = Platform(folder, history(seed, 2500), seed)
        platform.micro_batch(0.4)
        platform.run_batch(at_boundary=True)
        platform.micro_batch(0.4)
        own = {"AUTHENTICATION": "required", "IDENTITY": str(folder / "identity"), "PSEUDONYM_KEY": SECRET}
        own |= {"RATE_LIMIT": "0", "DISCLOSURE_LOG": str(folder / "disclosure")}
        settings = platform.settings
        self.app = create_app(
            replace(Settings.load(own), batch_views=settings.batch_views, speed_views=settings.speed_views)
        )
        store = open_store(own["IDENTITY"])
        self.keys = {person: create_key(store, person.role, 1, person.id)[1] for person in PERSONS}
        self.app.state.serving.look()
        self.app.state.gate.look()
        self.teaches: dict[str, set[str]] = {}
        self.advises: dict[str, set[str]] = {}
        self.whole: dict[tuple[str, str], list[Row]] = {}
        self.tags: dict[str, tuple[str, list[str]]] = {}
        self.seen: Counter[str] = Counter()

    async def get(
        self, person: Person, path: str, query: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer."""
        sent = {"authorization": f"Bearer {self.keys[person]}", **headers}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
        }  # fmt: skip
        parts: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            parts.append(message)

        await self.app(scope, receive, send)
        told = {name.decode(): value.decode() for name, value in parts[0]["headers"]}
        return parts[0]["status"], told, b"".join(part.get("body", b"") for part in parts[1:])

    async def look(self) -> None:
        """Read every row there is, as an admin."""
        for layer in LAYERS:
            for view in VIEWS:
                status, _, body = await self.get(PERSONS[0], f"/views/{view}", f"limit=10000&layer={layer}")
                assert status == 200
                self.whole[layer, view] = json.loads(body)["rows"]

    def new_roster(self) -> None:
        """Somebody teaches and advises somebody, or nobody anybody."""
        rng = self.rng
        some = lambda pool: set(rng.sample(pool, k=rng.randint(0, min(4, len(pool)))))  # noqa: E731
        courses, people = [*POOLS["course_id"], *STRANGERS], [*PEOPLE, *STRANGERS]
        self.teaches = {p.id: some(courses) for p in PERSONS if p.role == "lecturer" and rng.random() < 0.8}
        self.advises = {p.id: some(people) for p in PERSONS if p.role == "adviser" and rng.random() < 0.8}
        # A student who teaches and a lecturer who advises have the rights of their own role alone.
        self.teaches[rng.choice(PEOPLE)] = some(courses)
        self.advises[rng.choice(("GV001", "GV002"))] = some(people)
        frozen = [{p: frozenset(v) for p, v in links.items()} for links in (self.teaches, self.advises)]
        self.app.state.gate._roster = Roster(1, *frozen)

    async def triple(self) -> None:
        """One request of somebody, compared."""
        rng = self.rng
        person, view, layer = rng.choice(PERSONS), rng.choice(list(VIEWS)), rng.choice((*LAYERS, "merged"))
        everything = self.whole[layer, view]
        mine = visible(person, view, everything, self.teaches, self.advises)
        if rng.random() < 0.2 and (who := person_column(view)):
            # Lookups of one person take another path.
            name = rng.choice([*PEOPLE, "SV999"])
            filters = {who: pseudonym(name) if person.role == "analyst" else name}
        else:
            filters = asked(rng, view, everything, person)
        parameters = {**filters, "layer": layer, "limit": str(rng.choice((1, 7, 10_000, 10_000, 10_000)))}
        form = rng.choice(("json", "json", "json", "csv"))
        if form == "csv":
            parameters["format"] = form
        names = list(everything[0]) if everything else list(VIEWS[view].key)
        if rng.random() < 0.3:
            parameters["sort"] = rng.choice(("", "-")) + rng.choice(names)
        if rng.random() < 0.2 and form == "json":
            parameters["fields"] = rng.choice(names)
        what = (person, view, parameters, self.teaches.get(person.id), self.advises.get(person.id))
        self.app.state.recorder._waiting.clear()
        status, headers, body = await self.get(person, f"/views/{view}", urlencode(parameters))
        noted = self.app.state.recorder._waiting
        if mine is None or (sees_groups(person, view) and layer != "merged"):
            assert status == 403 and set(json.loads(body)) == {"name", "detail"} and not noted, what
            self.seen["refused"] += 1
            return
        assert status == 200, (what, body)
        wanted = [row for row in mine if suits(row, filters)]
        limit = int(parameters["limit"])
        if form == "csv":
            self._csv(headers, body, wanted, limit, what)
        else:
            self._json(json.loads(body), wanted, limit, parameters.get("fields"), what)
        self._noted(noted, person, view, wanted, limit, what)
        if form == "json" and rng.random() < 0.1:
            await self._tag(person, view, urlencode(parameters), headers["etag"], wanted, what)
        self.seen["answered"] += 1
        self.seen["rows"] += len(wanted)
        self.seen["hidden"] += len(everything) - len(mine)

    def _json(self, told: dict[str, Any], wanted: list[Row], limit: int, field: str | None, what: object) -> None:
        assert told["total"] == len(wanted) and bool(told["next"]) == (len(wanted) > limit), (what, told)
        keep = (lambda row: row) if field is None else (lambda row: {field: row[field]})
        got, may = Counter(map(place, told["rows"])), Counter(place(keep(row)) for row in wanted)
        assert not got - may and sum(got.values()) == min(limit, len(wanted)), (what, told)

    def _csv(self, headers: dict[str, str], body: bytes, wanted: list[Row], limit: int, what: object) -> None:
        rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
        assert int(headers["x-total"]) == len(wanted) and len(rows) - 1 == min(limit, len(wanted)), (what, rows[:3])
        for name in set(rows[0]) & {"user_id", "student_id", "course_id"}:
            column = rows[0].index(name)
            assert {row[column] for row in rows[1:]} <= {row[name] or "" for row in wanted}, what

    def _noted(self, noted: list[Any], person: Person, view: str, wanted: list[Row], limit: int, what: object) -> None:
        """What is noted of the answer: the people in it, unless they go by pseudonyms."""
        who = person_column(view)
        people = {row[who] for row in wanted} - {None} if who and person.role != "analyst" else set()
        shown = set().union(*(line["persons"] for line in noted)) if noted else set()
        assert shown <= people and bool(shown) == bool(people) and (limit < 10_000 or shown == people), (what, noted)

    async def _tag(self, person: Person, view: str, query: str, tag: str, wanted: list[Row], what: object) -> None:
        """Another's tag is 304 only to who sees the same."""
        rows = sorted(map(place, wanted))
        for theirs, other in list(self.tags.values())[-3:]:
            status, _, _ = await self.get(person, f"/views/{view}", query, **{"if-none-match": theirs})
            assert status == 200 or (theirs == tag and rows == other), what
        self.tags[query] = tag, rows
        if len(self.tags) > 100:
            self.tags.clear()


async def run(count: int, seed: int, tell: int = 0) -> Counter[str]:
    """Make so many requests; AssertionError at the first that shows more or less than it may."""
    with tempfile.TemporaryDirectory() as folder:
        triples, began = Triples(Path(folder), seed), time.monotonic()
        await triples.look()
        for number in range(count):
            if number % ROSTER_LASTS == 0:
                triples.new_roster()
            await triples.triple()
            if tell and (number + 1) % tell == 0:
                print(f"{number + 1} triples, {time.monotonic() - began:.0f} s: {dict(triples.seen)}", flush=True)
        triples.app.state.serving.stop()
        return triples.seen


def main() -> int:
    """Run as asked; 0 without a leak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seen = asyncio.run(run(options.triples, options.seed, tell=5000))
    print(f"{options.triples} triples of seed {options.seed}, 0 leaks: {dict(seen)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
