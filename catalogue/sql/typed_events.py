"""From the catalogue's rules to SQL: raw JSON values become typed events, each with its fault or none.

An event's fields are read as JSON tokens, so that a number is never taken for a string or the other way round. Only
required fields can make an event invalid; an optional field of the wrong JSON type reads as NULL. Of a name that an
object repeats the first counts.
"""

from __future__ import annotations

from functools import cache

from catalogue.events import COMMON, TOPICS
from catalogue.events.schema import Field, Kind, Topic

UUID_PATTERN = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_DAY, _CLOCK = r"\d{4}-\d\d-\d\d", r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
PLAIN_TIME = rf"{_DAY} {_CLOCK}(\.\d{{1,6}})?"
ISO_TIME = rf"{_DAY}T{_CLOCK}(\.\d{{1,9}})?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)"
EARLIEST = "2000-01-01"
FAULT_SEPARATOR = "\t"
# The member of the value that stands in the place of an event that was erased.
ERASED = "erased"


def quoted(text: str) -> str:
    """`text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


@cache
def fields_of(topic: Topic) -> dict[str, Field]:
    """Every field that an event of the topic may have, the common ones first."""
    fields = {f.name: f for f in COMMON}
    for event_type in topic.event_types:
        for field in event_type.fields:
            if field.name not in fields:
                fields[field.name] = field
    return fields


def fields_read(topic: Topic, words: set[str], always: tuple[str, ...]) -> tuple[str, ...]:
    """The columns `always`, and the topic's fields whose names are among the words of what reads them."""
    return (*always, *(name for name in fields_of(topic) if name in words and name not in always))


@cache
def token_names(topic: Topic) -> tuple[str, ...]:
    """Names of the JSON members that are read, older names included."""
    fields = fields_of(topic).values()
    return (*dict.fromkeys(name for f in fields for name in (f.name, *f.aliases)), ERASED)


@cache
def persons_of(topic_name: str) -> tuple[str, ...]:
    """The fields of a topic's events that name a person; none where the catalogue doesn't know the topic."""
    if topic_name not in TOPICS:
        return ()
    return tuple(f.name for f in fields_of(TOPICS[topic_name]).values() if f.is_person)


def erased_fault() -> str:
    """SQL: the fault of an event that was erased, as a literal."""
    return _fault(ERASED, "the event must name nobody who was erased")


def is_erased(fault: str) -> str:
    """SQL: whether a fault is that of an erased event; NULL for none."""
    return f"starts_with({fault}, {quoted(ERASED + FAULT_SEPARATOR)})"


def _string(token: str) -> str:
    plain = f"substring({token}, 2, length({token}) - 2)"
    escaped = f"json_extract_string({token}::JSON, '$')"
    unquoted = f"CASE WHEN contains({token}, '\\') THEN {escaped} ELSE {plain} END"
    return f"CASE WHEN starts_with({token}, '\"') THEN {unquoted} END"


def _time(text: str) -> str:
    cut = f"regexp_replace({text}, '(\\.\\d{{6}})\\d+', '\\1')"
    iso = f"regexp_replace({cut}, '([+-]\\d\\d)(\\d\\d)$', '\\1:\\2')"
    return (
        f"CASE WHEN regexp_full_match({text}, {quoted(PLAIN_TIME)}) THEN try_cast({text} AS TIMESTAMP) "
        f"WHEN regexp_full_match({text}, {quoted(ISO_TIME)}) THEN try_cast({iso} AS TIMESTAMPTZ)::TIMESTAMP END"
    )


def _hundredths(token: str) -> str:
    """Exact hundredths of a decimal number; NULL where it has more than two decimals or is no number.

    A number with an exponent goes through a double, which tells its decimals surely up to ten digits.
    """
    plain = f"regexp_full_match({token}, '-?\\d{{1,9}}(\\.\\d{{1,2}}0*)?')"
    decimal = f"(regexp_extract({token}, '-?\\d+(\\.\\d{{1,2}})?')::DECIMAL(12, 2) * 100)::BIGINT"
    points = f"(try_cast({token} AS DOUBLE) * 100)"
    digits = f"length(regexp_extract({token}, '-?([\\d.]+)', 1)) <= 11"
    exact = (
        f"CASE WHEN round({points}) = 0 THEN regexp_matches({token}, '^-?[0.]+[eE]') "
        f"ELSE abs({points} - round({points})) <= abs({points}) * 1e-14 END"
    )
    exponent = f"regexp_full_match({token}, '-?[\\d.]+[eE].*') AND {digits} AND abs({points}) < 1e15 AND {exact}"
    return f"CASE WHEN {plain} THEN {decimal} WHEN {exponent} THEN try_cast(round({points}) AS BIGINT) END"


def _typed(field: Field) -> str:
    token = f"token_{field.name}"
    match field.kind:
        case Kind.INTEGER:
            return f"CASE WHEN regexp_full_match({token}, '-?\\d+') THEN try_cast({token} AS BIGINT) END"
        case Kind.SCORE:
            return _hundredths(token)
        case Kind.NAMES:
            names = f"json_extract({token}::JSON, '$[*]')::VARCHAR[]"
            bad = f"len(list_filter({names}, lambda n: NOT starts_with(n, '\"') OR n = '\"\"')) > 0"
            return (
                f"CASE WHEN starts_with({token}, '[') AND NOT ({bad}) "
                f"THEN nullif(json_extract_string({token}::JSON, '$[*]'), []) END"
            )
        case _:
            return _string(token)


def _holds(field: Field) -> str:
    """The condition under which the value of a required field is right; NULL counts as wrong."""
    rules = [f"{field.name} IS NOT NULL"]
    if field.kind is Kind.IDENTIFIER:
        rules.append(f"length({field.name}) BETWEEN 1 AND 128")
    if field.kind is Kind.SCORE:
        rules.append(f"{field.name} BETWEEN 0 AND 10000")
    if field.choices:
        rules.append(f"{field.name} IN ({', '.join(quoted(c) for c in field.choices)})")
    if field.minimum is not None:
        rules.append(f"{field.name} >= {field.minimum}")
    if field.maximum is not None:
        rules.append(f"{field.name} <= {field.maximum}")
    return " AND ".join(rules)


def _expected(field: Field) -> str:
    choices = f"one of {', '.join(field.choices)}" if field.choices else field.kind.value
    return choices + (f" >= {field.minimum}" if field.minimum is not None else "")


def _fault(reason: str, detail: str) -> str:
    return quoted(reason + FAULT_SEPARATOR + detail)


def _faults(topic: Topic) -> list[tuple[str, str]]:
    """Pairs of a condition and the fault it means, in the order in which they are reported."""
    names = [e.name for e in topic.event_types]
    no_identity = (
        "event_id_text IS NOT NULL AND event_id IS NULL OR token_event_id IS NOT NULL AND event_id_text IS NULL"
    )
    early_or_late = f"ts < TIMESTAMP '{EARLIEST}' OR ts > kafka_ts + INTERVAL 1 DAY"
    faults = [
        ("token_erased = 'true' AND token_user_id IS NULL AND token_event_category IS NULL", erased_fault()),
        (
            f"event_category IS DISTINCT FROM {quoted(topic.category)}",
            _fault("wrong_category", f"event_category must be {topic.category}"),
        ),
        (
            f"coalesce(event_type, '') NOT IN ({', '.join(map(quoted, names))})",
            _fault("unknown_type", f"event_type must be one of {', '.join(names)}"),
        ),
        (no_identity, _fault("bad_event_id", f"event_id must be a {Kind.UUID.value}")),
        (
            "NOT coalesce(length(user_id) BETWEEN 1 AND 128, false)",
            _fault("bad_field", f"user_id must be a {Kind.IDENTIFIER.value}"),
        ),
        ("ts IS NULL", _fault("bad_timestamp", f"timestamp must be {Kind.TIMESTAMP.value}")),
        (
            early_or_late,
            _fault("timestamp_out_of_range", f"timestamp must be from {EARLIEST} to one day after arrival in Kafka"),
        ),
    ]
    required: dict[tuple[str, str], list[str]] = {}
    for event_type in topic.event_types:
        for field in event_type.fields:
            if field.required:
                fault = _fault("bad_field", f"{field.name} must be {_expected(field)}")
                required.setdefault((_holds(field), fault), []).append(quoted(event_type.name))
    for (holds, fault), types in required.items():
        faults.append((f"event_type IN ({', '.join(types)}) AND NOT coalesce({holds}, false)", fault))
    return faults


@cache
def typed_events(topic_name: str, source: str) -> str:
    """SELECT of typed events from `source` (partition, offset, kafka_ts TIMESTAMP in UTC, value STRUCT of JSON tokens).

    One row per row of `source`: partition, offset, kafka_ts, fault (reason, tab, detail; NULL when valid),
    event_id UUID, event_type, ts TIMESTAMP in UTC, date, hour, and every field of the topic (scores in hundredths).
    """
    topic = TOPICS[topic_name]
    fields = fields_of(topic)

    def token(name: str) -> str:
        return f"nullif(value.\"{name}\"::VARCHAR, 'null')"

    tokens = [f"coalesce({', '.join(map(token, (f.name, *f.aliases)))}) AS token_{f.name}" for f in fields.values()]
    tokens.append(f"{token(ERASED)} AS token_{ERASED}")
    special = {"event_id": "event_id_text", "event_type": "event_type_text", "timestamp": "timestamp_text"}
    typed = [f"{_typed(f)} AS {special.get(f.name, f.name)}" for f in fields.values()]
    renames = "".join(f" WHEN {quoted(alias)} THEN {quoted(e.name)}" for e in topic.event_types for alias in e.aliases)
    event_type = f"CASE event_type_text{renames} ELSE event_type_text END" if renames else "event_type_text"
    faults = " ".join(f"WHEN {condition} THEN {fault}" for condition, fault in _faults(topic))
    kept = [name for name in fields if name not in special]
    return f"""
WITH tokens AS (SELECT "partition", "offset", kafka_ts, {", ".join(tokens)} FROM {source}),
texts AS (
    SELECT "partition", "offset", kafka_ts, token_event_id, token_user_id, token_event_category, token_{ERASED},
        {", ".join(typed)}
    FROM tokens
),
events AS (
    SELECT *, {event_type} AS event_type, {_time("timestamp_text")} AS ts,
        CASE WHEN regexp_full_match(event_id_text, {quoted(UUID_PATTERN)}) THEN event_id_text::UUID END AS event_id
    FROM texts
)
SELECT "partition", "offset", kafka_ts, CASE {faults} END AS fault, event_id, event_type, ts,
    ts::DATE AS date, hour(ts) AS hour, {", ".join(kept)}
FROM events"""


def strict_json(text: str) -> str:
    """SQL: whether `text`, which DuckDB reads as JSON, is JSON to the letter.

    DuckDB also takes NaN, infinities and trailing commas: they are looked for outside of strings.
    """
    lenient = "'(?i)nan|inf|,\\s*[\\]}]'"
    bare = f"""regexp_replace({text}, '"(\\\\.|[^"\\\\])*"', '""', 'g')"""
    return f"NOT CASE WHEN regexp_matches({text}, {lenient}) THEN regexp_matches({bare}, {lenient}) ELSE false END"


def value_struct(topic_name: str) -> str:
    """The STRUCT type of JSON tokens that `typed_events` reads."""
    return "STRUCT(" + ", ".join(f'"{name}" JSON' for name in token_names(TOPICS[topic_name])) + ")"


def value_transform(topic_name: str) -> str:
    """The same structure as `json_transform` takes it."""
    return "{" + ", ".join(f'"{name}": "JSON"' for name in token_names(TOPICS[topic_name])) + "}"
