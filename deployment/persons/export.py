"""Everything that is held about a person, in files that people and programs read: JSON lines and CSV, with meanings."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalogue.at_rest.raw_files import ENVELOPE
from catalogue.at_rest.raw_persons import People, parted
from catalogue.at_rest.runs import current
from catalogue.events import TOPICS
from catalogue.sql.dialect import connect
from catalogue.sql.typed_events import fields_of, quoted
from catalogue.views import VIEWS
from catalogue.views.disclosure import disclosure
from deployment.persons.erasure import checked
from deployment.persons.places import Places, each, event_files, topic_of, unpacked
from runtime.progress import progress
from serving_layer.advising.advice import Advices
from serving_layer.advising.thresholds import history_of
from serving_layer.disclosure.chains import shown_of
from serving_layer.identity import api_keys
from serving_layer.identity.roster import read_roster
from serving_layer.identity.sessions import naming

FILES = {"raw": "events", "quarantine": "rejected"}
ENVELOPE_MEANINGS = {
    "topic": "Kafka topic that the event came by.",
    "partition": "Partition of the topic.",
    "offset": "Place in the partition.",
    "kafka_timestamp": "When it arrived, UTC.",
    "reason": "Why it was rejected, as a code.",
    "detail": "Why it was rejected.",
    "value": "The event, as it came.",
}
SHOWN = {
    "time": "When rows of the person were answered, UTC.",
    "who": "Who was shown them.",
    "role": "Their role.",
    "by": "The key or login by which they came in.",
    "view": "The view, window or export.",
    "run": "The batch run that the rows came from.",
    "purpose": "What for, as they said.",
}
Meanings = dict[str, dict[str, str]]


def export(places: Places, person: str, folder: Path) -> dict[str, int]:
    """Write what is held about a person into `folder`; the rows of each file.

    Events that name the person, those of others too; rejected ones; the person's rows of the published batch views;
    roster, keys, logins and advisers' events; who was shown rows of the person. `meanings.csv` says what each column
    means.
    """
    (person,) = checked([person])
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}
    meanings: Meanings = {}
    for store, name in FILES.items():
        progress(f"looking into {store}")
        lines = list(_lines(places, store, person))
        (folder / f"{name}.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        rows[f"{name}.jsonl"] = len(lines)
        meanings[f"{name}.jsonl"] = {**_fields(), **ENVELOPE_MEANINGS}
        _table(folder / f"{name}.csv", lines)
        meanings[f"{name}.csv"] = meanings[f"{name}.jsonl"]
    _views(places, person, folder, rows, meanings)
    held = _identity(places, person)
    (folder / "identity.jsonl").write_text("".join(json.dumps(one) + "\n" for one in held), encoding="utf-8")
    rows["identity.jsonl"] = len(held)
    shown = [{name: line.get(name) for name in SHOWN} for line in shown_of(places.disclosure, person)]
    (folder / "disclosures.jsonl").write_text("".join(json.dumps(one) + "\n" for one in shown), encoding="utf-8")
    with (folder / "disclosures.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, SHOWN)
        table.writeheader()
        table.writerows(shown)
    for kind in ("csv", "jsonl"):
        rows[f"disclosures.{kind}"], meanings[f"disclosures.{kind}"] = len(shown), SHOWN
    with (folder / "meanings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "column", "meaning"))
        writer.writerows((name, *pair) for name, columns in meanings.items() for pair in columns.items())
    return rows


def _lines(places: Places, name: str, person: str) -> Iterable[bytes]:
    store, people = places.event_stores[name], People([person])

    def theirs(path: str) -> list[bytes]:
        return parted(unpacked(path, store.read(path)), people, topic_of(path))[1]

    for _, found in each(theirs, event_files(store)):
        yield from found


def _fields() -> dict[str, str]:
    return {name: field.meaning for topic in TOPICS.values() for name, field in fields_of(topic).items()}


def _table(path: Path, lines: Iterable[bytes]) -> None:
    """The lines as CSV: the envelope, and a column for each field of the catalogue that one of them has."""
    found = []
    for line in lines:
        envelope = _object(line)
        value = envelope.get("value")
        found.append((envelope, _object(value) if isinstance(value, str) else value or {}))
    placed = [name.strip('"') for name in ENVELOPE]
    reasons = [name for name in ("reason", "detail") if any(name in envelope for envelope, _ in found)]
    fields = [name for name in _fields() if any(name in event for _, event in found)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*placed, *reasons, *fields))
        for envelope, event in found:
            told = [envelope.get(name) for name in (*placed, *reasons)]
            writer.writerow((*told, *(_cell(event.get(name)) for name in fields)))


def _object(text: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _cell(value: object) -> object:
    return value if isinstance(value, str | int | float | None) else json.dumps(value, ensure_ascii=False)


def _views(places: Places, person: str, folder: Path, rows: dict[str, int], meanings: Meanings) -> None:
    progress("reading the views")
    for name, files in current(places.batch)[0].views.items():
        view = VIEWS.get(name)
        column = disclosure(view).person if view else ""
        if not view or not column:
            continue
        with tempfile.TemporaryDirectory() as scratch, closing(connect()) as con:
            for number, path in enumerate(files.files):
                places.batch.download(path, f"{scratch}/{number}.parquet")
            read = f"FROM read_parquet('{scratch}/*.parquet', hive_partitioning = false)"
            con.execute(f"CREATE TABLE mine AS {read} WHERE {column} = {quoted(person)}")
            count = con.execute("SELECT count(*) FROM mine").fetchall()[0][0]
            if count:
                con.execute(f"COPY mine TO {quoted(f'{folder / name}.csv')} (FORMAT csv, HEADER)")
                con.execute(f"COPY mine TO {quoted(f'{folder / name}.jsonl')} (FORMAT json)")
                for kind in ("csv", "jsonl"):
                    rows[f"{name}.{kind}"] = count
                    meanings[f"{name}.{kind}"] = dict(view.meanings)


def _identity(places: Places, person: str) -> list[dict[str, object]]:
    roster = read_roster(places.identity)[0]
    held: list[dict[str, object]] = []
    for what, links in (("teaches", roster.teaches), ("advises", roster.advises)):
        held += [{"roster": what, "person": one, "values": sorted(v)} for one, v in links.items() if one == person]
        held += [{"roster": what, "person": one, "values": [person]} for one, v in links.items() if person in v]
    held += [{"advice": asdict(one)} for one in Advices(places.identity).of() if person in (one.student, one.by)]
    held += [{"login": told} for told in naming(places.identity, [person]).values() if told["person"] == person]
    held += [{"thresholds": asdict(one)} for one in history_of(places.identity, person)]
    held += [{"key": api_keys.described(k)} for k in api_keys.list_keys(places.identity) if k.person == person]
    return held
