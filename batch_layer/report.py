"""What the tasks of a topic report; the sum of all of them is what came of the topic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from catalogue.at_rest.ledger import Entries, add_entries


@dataclass
class Report:
    """What one task found and wrote, or a topic's tasks together.

    `again` says why the topic has to be recomputed from all raw events, `failure` why it can't be computed. `states`
    are the paths of state files by name and bucket, `views` the rows, columns and number of parts of each view,
    `parts` the files of all of them.
    """

    topic: str
    events: int = 0
    unreadable_lines: int = 0
    cut: dict[str, int] = field(default_factory=dict)
    ledger: Entries = field(default_factory=dict)
    states: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    views: dict[str, tuple[int, dict[str, str], int]] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    again: str = ""
    failure: str = ""
    seconds: float = 0.0


def summed(topic: str, reports: Iterable[Report]) -> Report:
    """All reports of a topic as one."""
    total = Report(topic)
    for report in reports:
        if report.topic != topic:
            continue
        total.events += report.events
        total.unreadable_lines += report.unreadable_lines
        total.cut |= {partition: max(end, total.cut.get(partition, 0)) for partition, end in report.cut.items()}
        add_entries(total.ledger, report.ledger)
        for name, buckets in report.states.items():
            total.states.setdefault(name, {}).update(buckets)
        for name, (rows, columns, parts) in report.views.items():
            before = total.views.get(name, (0, {}, 0))
            total.views[name] = before[0] + rows, columns, before[2] + parts
        total.parts |= report.parts
        total.again = total.again or report.again
        total.failure = total.failure or report.failure
        total.seconds += report.seconds
    return total
