"""One topic-partition's share of a micro-batch: judged, and written as raw and quarantine files."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalogue.at_rest.erasures import NOBODY, Erasures
from catalogue.at_rest.ledger import Ledger
from catalogue.at_rest.raw_files import CommittedFile, Offsets, Ranges, RawName
from catalogue.at_rest.raw_persons import raw_stub, seemingly_named
from catalogue.sql.statements import connection
from catalogue.sql.typed_events import persons_of
from catalogue.sql.verdicts import by_topic, inspect
from runtime.spark.workers import forget_zip_archives
from runtime.storage.store import Store
from runtime.timestamps import written

SCHEMA = "topic string, partition int, day string, first long, last long, events long, bytes long, read long, " \
         "unparseable long, invalid long, erased long"  # fmt: skip
COMPRESSION = 1
FATES = ("read", "landed", "unparseable", "invalid", "erased")


def land(
    batches: Iterator[pa.RecordBatch], raw: Store, quarantine: Store, commit: int, gone: Erasures = NOBODY
) -> Iterator[pa.RecordBatch]:
    """Write records of one topic-partition, a file per day of arrival, and yield a row of SCHEMA per file.

    Records: topic, partition, offset, timestamp (Kafka's, UTC), value (bytes; NULL reads as empty). File names are
    made of the offsets and the commit's number, so that a repeated attempt overwrites its own files. Of an event of
    people who are `gone` nothing is written but that it was there.
    """
    con = connection("landing")
    parts: dict[tuple[str, int, str], list[pa.Table]] = {}
    for batch in batches:
        for topic, records in by_topic(batch):
            judged = inspect(con, topic, records).append_column("value", records["value"])
            judged = judged.append_column("erased", _erased(judged, topic, gone))
            days = pc.strftime(judged["kafka_timestamp"], "%Y-%m-%d")
            keyed = judged.append_column("day", days)
            for partition in pc.unique(keyed["partition"]).to_pylist():
                for day in pc.unique(days).to_pylist():
                    chosen = pc.and_(pc.equal(keyed["day"], day), pc.equal(keyed["partition"], partition))
                    part = keyed.filter(chosen)
                    if part.num_rows:
                        parts.setdefault((topic, partition, day), []).append(part)
    forget_zip_archives()
    for (topic, partition, day), tables in parts.items():
        yield _write(topic, partition, day, pa.concat_tables(tables), raw, quarantine, commit)


def accounted(rows: Iterable[Any], head: Offsets, commit: int) -> tuple[Ranges, list[CommittedFile], Ledger]:
    """What a commit's manifest says of rows of SCHEMA: ranges from where `head` ends on, files, and the fates."""
    ranges: Ranges = {}
    ledger: Ledger = {}
    files = []
    for row in sorted(rows, key=lambda r: (r["topic"], r["partition"], r["first"])):
        topic, partition = row["topic"], str(row["partition"])
        start = head.get(topic, {}).get(partition, 0)
        bounds = ranges.setdefault(topic, {}).setdefault(partition, [start, start])
        bounds[1] = max(bounds[1], row["last"] + 1)
        entry = ledger.setdefault(topic, {}).setdefault(partition, dict.fromkeys(FATES, 0))
        for name, count in zip(FATES, _counts(row), strict=True):
            entry[name] += count
        if row["events"]:
            place = (topic, row["partition"], row["first"], row["last"], row["events"], row["bytes"])
            files.append(CommittedFile(path_of(row, commit), *place))
    return ranges, files, ledger


def path_of(row: Any, commit: int) -> str:
    """Path of the file that a row of SCHEMA tells of."""
    return RawName(row["topic"], row["day"], row["partition"], row["first"], row["last"], commit).path


def _counts(row: Any) -> tuple[int, ...]:
    return row["read"], row["events"], row["unparseable"], row["invalid"], row["erased"]


def _erased(judged: pa.Table, topic: str, gone: Erasures) -> pa.Array:
    """Which of the events name somebody who is `gone`. What is no JSON object names whom its text seems to name."""
    found = [False] * judged.num_rows
    if gone.people:
        for field in persons_of(topic):
            people = set(gone.among(pc.unique(judged[field]).to_pylist()))
            found = [known or one in people for known, one in zip(found, judged[field].to_pylist(), strict=True)]
        rest = pc.invert(judged["parseable"])
        for number, value in zip(
            pc.indices_nonzero(rest).to_pylist(), judged.filter(rest)["value"].to_pylist(), strict=True
        ):
            found[number] = bool(gone.among(seemingly_named(topic, value)))
    return pa.array(found, pa.bool_())


def _write(
    topic: str, partition: int, day: str, table: pa.Table, raw: Store, quarantine: Store, commit: int
) -> pa.RecordBatch:
    bounds = pc.min_max(table["offset"]).as_py()
    path = RawName(topic, day, partition, bounds["min"], bounds["max"], commit).path
    rows = zip(table["offset"].to_pylist(), table["line"].to_pylist(), table["erased"].to_pylist(), strict=True)
    lines = [raw_stub(topic, partition, offset, day) if gone else line for offset, line, gone in rows if line]
    data = _packed(lines)
    if lines:
        raw.write(path, data)
    unparseable = table.num_rows - len(lines)
    faulty = table.filter(pc.and_not(pc.is_valid(table["reason"]), table["erased"]))
    if faulty.num_rows:
        quarantine.write(path, _packed([_quarantined(topic, row) for row in faulty.to_pylist()]))
    return pa.RecordBatch.from_pylist(
        [
            {
                "topic": topic,
                "partition": partition,
                "day": day,
                "first": bounds["min"],
                "last": bounds["max"],
                "events": len(lines),
                "bytes": len(data) if lines else 0,
                "read": table.num_rows,
                "unparseable": unparseable,
                "invalid": pc.sum(faulty["parseable"]).as_py() or 0,
                "erased": pc.sum(table["erased"]).as_py() or 0,
            }
        ],
        schema=pa.schema(
            [("topic", pa.string()), ("partition", pa.int32()), ("day", pa.string())]
            + [
                (n, pa.int64())
                for n in ("first", "last", "events", "bytes", "read", "unparseable", "invalid", "erased")
            ]
        ),
    )


def _packed(lines: list[str]) -> bytes:
    text = "\n".join(lines) + "\n" if lines else ""
    return gzip.compress(text.encode(), COMPRESSION, mtime=0)


def _quarantined(topic: str, row: dict[str, Any]) -> str:
    try:
        value = {"value": row["value"].decode()}
    except UnicodeDecodeError:
        value = {"value": base64.b64encode(row["value"]).decode(), "value_encoding": "base64"}
    arrived = written(row["kafka_timestamp"])
    envelope = {"topic": topic, "partition": row["partition"], "offset": row["offset"], "kafka_timestamp": arrived}
    return json.dumps({**envelope, "reason": row["reason"], "detail": row["detail"], **value}, ensure_ascii=False)
