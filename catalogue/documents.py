"""Files that say what the catalogue says, printed from it: `python -m catalogue.documents` writes them all.

A test fails while one of them differs from what this module prints.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from pathlib import Path

from catalogue.declarations import refuse
from catalogue.events import COMMON, TOPICS
from catalogue.events.schema import EventType, Field, Kind, Topic
from catalogue.events.topic_configuration import topic_config
from catalogue.events.unmapped import COLLECTED, UNMAPPED
from catalogue.views import ROLLUPS, VIEWS
from catalogue.views.columns import database_faults, view_columns
from runtime.metrics import METRICS
from runtime.settings import declared

ROOT = Path(__file__).resolve().parents[1]
STAMP = "Printed from the catalogue by `make docs`; edit `catalogue/`, not this file."


def documents() -> dict[str, str]:
    """Every derived file: its path in the checkout and its text."""
    printers: dict[str, Callable[[], str]] = {
        "docs/event-schema-specification.md": _events,
        "docs/views.md": _views,
        "docs/settings.md": _settings,
        "docs/metrics.md": _metrics,
        "kafka/topics.yaml": _topics,
    }
    return {path: printer() for path, printer in printers.items()}


def _events() -> str:
    parts = [
        "# Event schema specification",
        STAMP,
        "An event is one JSON object, keyed in Kafka by its `user_id`. It is **valid** when its category belongs to "
        "its topic, its type to its category, every required field is there with the right type and range, and its "
        "timestamp lies between 2000-01-01 and one day after it reached Kafka. An optional field of another JSON type "
        "reads as missing. Fields that are not listed are kept in the raw data and ignored by the views. Of a name "
        "that an object repeats the first counts.",
        "## Fields of every event",
        _field_table(COMMON),
    ]
    for topic in TOPICS.values():
        kept = "for ever" if topic.retention_days is None else f"{topic.retention_days} days"
        parts.append(f"## {topic.category}: `{topic.name}`")
        parts.append(f"{topic.partitions} partitions, kept {kept}, {topic.share:.0%} of the generated events.")
        for event_type in topic.event_types:
            parts.append(f"### {event_type.name}")
            aliases = (
                f" Older name, still read: {', '.join(f'`{a}`' for a in event_type.aliases)}."
                if event_type.aliases
                else ""
            )
            parts.append(event_type.meaning + aliases)
            if event_type.fields:
                parts.append(_field_table(event_type.fields))
            parts.append("```json\n" + json.dumps(example(topic, event_type), indent=2) + "\n```")
    parts.append(f"## `{UNMAPPED.name}`")
    parts.append(
        f"{UNMAPPED.partitions} partitions, kept {UNMAPPED.retention_days} days. What the collector took and no "
        "mapping knows, whole: `standard`, `source`, `reason`, `received_at`, and the `document` itself. Ingestion "
        "lands it raw and in quarantine with the reason `unmapped`; no view reads it."
    )
    return "\n\n".join(parts) + "\n"


def _field_table(fields: tuple[Field, ...]) -> str:
    rows = ["| field | required | type | meaning |", "|---|---|---|---|"]
    for field in fields:
        kind = "one of " + ", ".join(f"`{c}`" for c in field.choices) if field.choices else field.kind.value
        if field.minimum is not None:
            kind += f", at least {field.minimum}"
        older = f" Older name: {', '.join(f'`{a}`' for a in field.aliases)}." if field.aliases else ""
        rows.append(f"| `{field.name}` | {'yes' if field.required else 'no'} | {kind} | {field.meaning}{older} |")
    return "\n".join(rows)


def example(topic: Topic, event_type: EventType) -> dict[str, object]:
    """A valid event of the type, the same every time."""
    rng = random.Random(event_type.name)
    user = {"teacher": "GV001", "admin": "AD001"}.get(event_type.actor, "SV001")
    event: dict[str, object] = {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "event_category": topic.category,
        "event_type": event_type.name,
        "user_id": user,
        "timestamp": "2026-03-02 08:15:00.250000",
        "role": event_type.actor,
    }
    for field in event_type.fields:
        if field.fake and field.name != "role":
            event[field.name] = field.fake(rng)
        elif field.kind is Kind.IDENTIFIER:
            event[field.name] = (
                f"{field.prefix}001" if field.prefix else str(uuid.UUID(int=rng.getrandbits(128), version=4))
            )
    return event


def _views() -> str:
    columns = view_columns()
    further = sum(view.further for view in VIEWS.values())
    parts = [
        f"# The {len(VIEWS) - further} views, and {further} further ones",
        STAMP,
        "Input: events that are valid and unique (an `event_id` counts once, at its lowest offset). Days and hours are "
        "UTC. Times are UTC timestamps, counts and sums 64-bit integers, averages and percentages doubles; a "
        "percentage is rounded half up to two decimals and NULL when nothing is counted below the line.",
    ]
    for topic in TOPICS:
        views = [v for v in VIEWS.values() if v.topic == topic]
        rollups = ", ".join(f"`{r.name}`" for r in ROLLUPS.values() if r.topic == topic)
        parts.append(f"## `{topic}` ({len(views)} views over {rollups})")
        for view in views:
            beside = " A further view." if view.further else ""
            parts.append(f"### {view.name}\nOne row per {', '.join(f'`{k}`' for k in view.key)}.{beside}")
            rows = ["| column | type | meaning |", "|---|---|---|"]
            rows += [f"| `{name}` | {kind} | {view.meanings[name]} |" for name, kind in columns[view.name].items()]
            parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _settings() -> str:
    rows = ["| environment variable | default | meaning |", "|---|---|---|"]
    rows += [f"| `{s.name}` | {f'`{s.default}`' if s.default else '(empty)'} | {s.help} |" for s in declared()]
    intro = "Every setting is an environment variable over a default in `config/defaults.env`."
    stamp = STAMP.replace("`catalogue/`", "`config/defaults.env`")
    return "\n\n".join(["# Settings", stamp, intro, "\n".join(rows)]) + "\n"


def _metrics() -> str:
    intro = (
        "Each process tells these at `METRICS_PORT`, the serving layer at `/metrics` of its API as well; a batch run "
        "leaves them where `BATCH_METRICS` says. Processes also tell Prometheus' usual `process_…` metrics. What Kafka "
        "and MinIO tell is in `docs/monitoring.md`."
    )
    parts = ["# Metrics", STAMP, intro]
    for process, metrics in METRICS.items():
        rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
        for m in metrics:
            labels = ", ".join(f"`{name}`" for name in m.labels)
            rows.append(f"| `{m.name}` | {m.kind.value} | {labels} | {m.meaning} |")
        parts += [f"## {process}", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _topics() -> str:
    parts = []
    for topic in COLLECTED.values():
        config = "\n".join(f'    {name}: "{value}"' for name, value in topic_config(topic).items())
        parts.append(f"""\
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata:
  name: {topic.name.replace("_", "-")}
  namespace: kafka
  labels:
    strimzi.io/cluster: kafka-cluster
spec:
  topicName: {topic.name}
  partitions: {topic.partitions}
  replicas: 3
  config:
{config}
""")
    return f"# {STAMP}\n" + "---\n".join(parts)


def main() -> None:
    """Write every derived file, unless a declaration is refused: DeclarationError tells all that are."""
    refuse(database_faults(ROLLUPS.values(), VIEWS.values()))
    for path, text in documents().items():
        target = ROOT / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
