"""Small random histories: raw records of every event type, with what real sources send besides good events."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random

import pyarrow as pa
from hypothesis import strategies as st

from tests.oracle import validity as v
from tests.oracle.counting import Record

START = datetime(2026, 3, 1, 8, 0, 0, 123000, tzinfo=UTC)
ZONES = ("Z", "+05:30", "-0800", "+07", "-03:30", "+0000", "+14:00")
EXTRAS: tuple[tuple[str, object], ...] = (
    ("note", "naïve ☃ \U0001f600"),
    ("context", {"a": [1, {"b": None}], "user_id": "x"}),
    ("User_Id", "SHOUT"),
)
EXTRA_FLOATS: tuple[tuple[str, object], ...] = (
    ("weight", 1.5e300),
    ("page", [[[[]]]]),
    ("", ""),
    ('quo"te', "a\\b\n\tc"),
)

PEOPLE = ("SV001", "SV002", "SV003", "SV1000", "GV001", "foreign/ü ☃", " sv001", "a\0b", "😀" * 128)
POOLS = {
    "course_id": ("COURSE001", "COURSE002", "https://lms.example/c?id='1'"),
    "video_id": ("VID001", "VID002", "VID003", "вид-4"),
    "session_id": tuple(f"S{n}" for n in range(30)),
    "assignment_id": ("ASM001", "ASM002", "ASM003"),
    "student_id": PEOPLE,
    "material_id": ("MAT001", "MAT002", 'MAT "3"'),
    "resource_id": ("RES001", "RES002", "MAT001"),
    "due_date": ("2026-03-01 23:59:00", "2026-02-20 00:00:00", "2026-02-30 10:00:00", "2026-03-05T23:59:00Z", "soon"),
    "notification_type": ("grade_posted", "", "Übung\\fällig"),
}
NAMES = ("email", "major", "full_name", "ø", "a'b", "email ")


def _time(rng: Random, moment: datetime) -> str:
    """`moment` in one of the accepted forms."""
    if rng.random() < 0.5:
        digits = rng.choice((0, 1, 3, 6))
        fraction = f".{moment.microsecond:06}"[: digits + 1] if digits else ""
        return f"{moment:%Y-%m-%d %H:%M:%S}" + fraction
    zone = rng.choice(ZONES)
    shift = timedelta(0)
    if zone != "Z":
        shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:].lstrip(":") or 0)) * (1 if zone[0] == "+" else -1)
    local = moment.astimezone(timezone(shift))
    fraction = rng.choice(("", ".5", f".{local.microsecond:06}", f".{local.microsecond:06}987"))
    return f"{local:%Y-%m-%dT%H:%M:%S}" + fraction + zone


def _value(rng: Random, name: str, rule: object) -> object:
    if isinstance(rule, tuple):
        return rng.choice(rule)
    match rule:
        case v.COUNT:
            return rng.choice((0, 1, 2, 30, 59, 60, 61, 179, 180, 181, 3600, rng.randrange(10**6), 10**12))
        case v.INTEGER:
            return rng.choice((-5, 0, 30, 2**63 - 1, -(2**63)))
        case v.SCORE:
            return rng.choice((0, 100, 85.5, 33.33, 0.07, 99.99, 64.1, 8.0, rng.randrange(10001) / 100))
        case v.NAMES:
            return rng.choices(NAMES, k=rng.randint(1, 4))
    return rng.choice(POOLS.get(name, ("x", "Bà Trần", "a b", 'q"\\', "line\nbreak")))


def event(rng: Random, topic: str, kind: str, moment: datetime) -> dict:
    """A valid event of a type."""
    category, types = v.RULES[topic]
    body: dict[str, object] = {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "event_category": category,
        "event_type": kind,
        "user_id": rng.choice(PEOPLE),
        "timestamp": _time(rng, moment),
    }
    for name, rule in types[kind].items():
        body[name] = _value(rng, name, rule)
    if kind == "DOWNLOAD_MATERIAL" and rng.random() < 0.4:
        body["material_id"] = body.pop("resource_id") if rng.random() < 0.7 else "unread"
        if rng.random() < 0.3:
            body.setdefault("resource_id", None)
    if kind == "PROFILE_PICTURE_UPDATED" and rng.random() < 0.4:
        body["event_type"] = "CHANGE_AVATAR"
    optional: dict[str, tuple[object, ...]] = {
        "role": (*v.ROLE, "dean", "", None, 7, ["student"]),
        "device_type": ("desktop", "fridge", None, 1),
    }
    optional |= {"schema_version": (1, 2, None, "one"), "ip_address": ("10.0.0.9", None)}
    if kind == "VIDEO_WATCHED":
        optional |= {
            "session_id": ("S1", "S2", "", None, 5, {"id": "S1"}),
            "video_duration_seconds": (900, None, -1),
        }
    if kind == "SUBMIT_ASSIGNMENT":
        optional |= {"assignment_type": ("homework", "lab", "poem", "", None, 3), "file_url": ("f.pdf", 0)}
    for name, choices in optional.items():
        if name not in types[kind] and rng.random() < 0.6:
            body[name] = rng.choice(choices)
    if rng.random() < 0.1:
        body.update(rng.sample(EXTRAS + EXTRA_FLOATS, 2))
    if rng.random() < 0.05:
        body["event_id"] = None
    elif rng.random() < 0.05:
        del body["event_id"]
    return body


def spoil(rng: Random, topic: str, body: dict) -> dict:
    """The event with one fault."""
    rules = {"user_id": v.ID, **v.RULES[topic][1].get(body["event_type"], {})}
    wrong: list[tuple[str, object]] = [
        ("event_category", rng.choice(("auth", "OTHER", "", 5, None, "VIDEO" if topic != "video_topic" else "AUTH"))),
        ("event_type", rng.choice(("login", "", "PAGE_VIEWED", None, 1,
                                   "LOGIN" if topic != "auth_topic" else "QUIZ_STARTED"))),
        ("event_id", rng.choice(("", "1", uuid.UUID(int=7).hex, "{" + str(uuid.UUID(int=7)) + "}", 5, [], "g" * 36))),
        ("timestamp", rng.choice(("", "now", None, 1772352000, "2026-02-30 00:00:00", "1999-12-31 23:59:59.999999",
                                  "2999-01-01T00:00:00Z", "2026-03-01", "2026-03-01T08:00:00", "2026-03-01 08:00:00Z",
                                  "2026-03-01 24:00:00", "2026-03-01 08:00:60", " 2026-03-01 08:00:00"))),
    ]  # fmt: skip
    for name, rule in rules.items():
        bad: tuple = (None, True, {}, "", "x" * 129) if rule == v.ID else (None, 5, [], False)
        bad = (None, 1, "Student", "") if isinstance(rule, tuple) else bad
        bad = (None, "5", 1.0, -1, True, 2**63) if rule == v.COUNT else bad
        bad = (None, "5", 1.5, 2**63, -(2**63) - 1) if rule == v.INTEGER else bad
        bad = (None, "85", -0.01, 100.01, 85.555, 101, 1e300, False) if rule == v.SCORE else bad
        bad = (None, [], [""], "email", ["email", 5], [None], {"0": "email"}) if rule == v.NAMES else bad
        if not (name == "resource_id" and "material_id" in body):
            wrong.append((name, rng.choice(bad)))
    name, value = rng.choice(wrong)
    if value is None and rng.random() < 0.5:
        return {k: kept for k, kept in body.items() if k != name}
    return body | {name: value}


def written(rng: Random, body: dict) -> bytes:
    """The event's bytes, as different clients write JSON."""
    style = rng.randrange(4)
    text = json.dumps(
        body,
        ensure_ascii=style == 0,
        indent=rng.choice((None, None, None, 1)),
        separators=(",", ":") if style == 1 else None,
        sort_keys=style == 2,
    )
    return (text.replace("\n", "\r\n") if style == 3 else text).encode()


NOT_OBJECTS = (b"", b"null", b"[]", b'"text"', b"17", b"{", b'{"a":1}}', b'{"user_id":"\xff"}', b"\xef\xbb\xbf{}",
               b"{'a':1}", b"\x00", b"{} {}", b'{"a":01}', b'{"user_id":"\xed\xa0\x80"}')  # fmt: skip


def _record_value(rng: Random, topic: str, arrival: datetime, earlier: list[Record]) -> bytes:
    luck = rng.random()
    if luck < 0.02:
        return rng.choice(NOT_OBJECTS)
    if luck < 0.12 and earlier:
        again = rng.choice(earlier[-2:] if rng.random() < 0.5 else earlier)
        if luck < 0.08:
            return again.value
        try:
            identity = v.judge(topic, arrival, again.value).event_id
        except v.Invalid:
            return again.value
        body = event(rng, topic, rng.choice(list(v.RULES[topic][1])), arrival)
        return written(rng, body | {"event_id": identity.upper() if identity and luck < 0.10 else identity})
    late = rng.choice((timedelta(0), timedelta(seconds=rng.randrange(7200)), timedelta(days=rng.randrange(40)),
                       timedelta(microseconds=rng.randrange(10**9)), -timedelta(days=1)))  # fmt: skip
    moment = arrival - late if rng.random() < 0.8 else START - timedelta(hours=rng.randrange(2))  # many at one instant
    body = event(rng, topic, rng.choice(list(v.RULES[topic][1])), moment)
    return written(rng, spoil(rng, topic, body) if rng.random() < 0.12 else body)


def history_of(rng: Random, events: int, topics: Iterable[str] = tuple(v.RULES), partitions: int = 2) -> list[Record]:
    """`events` records; in each partition offsets grow, with gaps, and arrival times never fall.

    A duplicate repeats the identity at a later offset of the same partition, some after more than seven days.
    """
    topics = list(topics)
    state = {(t, p): (rng.choice((0, 0, 17)), START + timedelta(hours=p)) for t in topics for p in range(partitions)}
    sent: dict[tuple[str, int], list[Record]] = {place: [] for place in state}
    records = []
    for _ in range(events):
        place = (rng.choice(topics), rng.randrange(partitions))
        offset, arrival = state[place]
        value = _record_value(rng, place[0], arrival, sent[place])
        record = Record(*place, offset, arrival, value)
        sent[place].append(record)
        records.append(record)
        pause = rng.choice((0, 1, 60_000, 3_600_000, 3_600_000, 40_000_000))
        if rng.random() < 0.03:
            pause = rng.choice((7 * 86_400_000, 7 * 86_400_000, 7 * 86_400_000 + 1))  # the horizon, and just beyond
        state[place] = (offset + (1 if rng.random() < 0.95 else 5), arrival + timedelta(milliseconds=pause))
    return records


def history(seed: int, events: int = 600, **options) -> list[Record]:
    """The history of a seed."""
    return history_of(Random(seed), events, **options)


def histories(most: int = 20, **options) -> st.SearchStrategy[list[Record]]:
    """Histories of up to `most` events, which hypothesis can make smaller."""
    return st.builds(
        lambda rng, events: history_of(rng, events, **options),
        st.randoms(use_true_random=False),
        st.integers(0, most),
    )


def envelope(record: Record) -> bytes:
    """The raw line of a record whose value is a JSON object."""
    at = record.kafka_timestamp.astimezone(UTC)
    head = f'{{"topic":"{record.topic}","partition":{record.partition},"offset":{record.offset},"kafka_timestamp":"'
    stamp = f'{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z","value":'
    return (head + stamp).encode() + re.sub(rb"[\r\n]", b" ", record.value) + b"}\n"


def _is_object(value: bytes) -> bool:
    try:
        v.parse(value)
    except v.Unparseable:
        return False
    return True


def landed(records: Iterable[Record]) -> list[Record]:
    """The records that reach the raw data: those whose value is a JSON object."""
    return [r for r in records if _is_object(r.value)]


def write_raw(
    folder: Path,
    records: Iterable[Record],
    files_per_topic: int = 3,
    tag: str = "any",
    repeats: float = 0.0,
    seed: int = 0,
) -> None:
    """Write the records as a raw folder of foreign making: no manifests, lines in any order, in mixed compressions.

    Per topic and day of arrival up to `files_per_topic` files; `repeats` is the share of lines that stand in two
    places. `tag` keeps the files of several calls apart.
    """
    rng = Random(seed)
    files: dict[tuple[str, str, int], list[bytes]] = {}
    for record in landed(records):
        day = record.kafka_timestamp.astimezone(UTC).date().isoformat()
        for _ in range(2 if rng.random() < repeats else 1):
            files.setdefault((record.topic, day, rng.randrange(files_per_topic)), []).append(envelope(record))
    for (topic, day, number), lines in sorted(files.items()):
        rng.shuffle(lines)
        path = folder / f"topic={topic}" / f"date={day}" / f"{tag}-{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = b"".join(lines)
        match number % 3:
            case 0:
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(data, 1))
            case 1:
                with pa.CompressedOutputStream(str(path) + ".zst", "zstd") as out:
                    out.write(data)
            case _:
                path.write_bytes(data)
