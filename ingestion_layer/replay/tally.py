"""What became of the rows: each read one is mapped or has a reason."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import BinaryIO

import orjson

from ingestion_layer.replay.row import ReplayError

NOT_REACHED = "not reached, as the replay ended before"
# Reasons hold names out of the source, of which there may be any number.
KINDS, SHOWN = 1000, 100
OTHERS = "others"
# Names of a source stand in reasons (an event type, a verb); what looks like an address or goes on is none.
_ODD = re.compile(r"\S*://\S*|[^\s]*@[^\s]*|[\x00-\x1f\x7f]")


def named(text: object, length: int = 60) -> str:
    """A name out of the source as reasons show it: without addresses, of 60 characters at most."""
    return _ODD.sub("…", str(text))[:length] if isinstance(text, str | int) else "?"


class Tally:
    """Counts rows and events, and writes the rejected rows to a file as JSON lines where there is one."""

    def __init__(self, files: list[Path], rejected: Path | None = None):
        self._files = files
        self.read = self.mapped = self.repeated = self.invalid = 0
        self.reasons: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self._rejected = _opened(rejected) if rejected else None

    def reject(self, file: int, number: int, reason: str) -> None:
        """A row that becomes no event: the `number`th of a file."""
        self.reasons[reason if reason in self.reasons or len(self.reasons) < KINDS else OTHERS] += 1
        if self._rejected:
            row = {"file": str(self._files[file]), "row": number, "reason": reason}
            self._rejected.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """No more rows come: those that nobody asked about any more have that for a reason."""
        missing = self.read - self.mapped - self.reasons.total()
        if missing:
            self.reasons[NOT_REACHED] += missing
        if self._rejected:
            self._rejected.close()

    def summary(self) -> dict[str, object]:
        """All counts; `read` is the sum of `mapped` and `unmapped`, and `unmapped` that of its reasons."""
        return {
            "rows": {
                "read": self.read,
                "mapped": self.mapped,
                "unmapped": self.reasons.total(),
                "repeated": self.repeated,
            },
            "reasons": dict(self.reasons.most_common()),
            "events": dict(sorted(self.events.items())),
            "invalid": self.invalid,
            "left_out": dict(self.left_out.most_common()),
            "times": dict(self.notes),
        }

    def lines(self) -> list[str]:
        """The same for people."""
        lines = [f"rows read: {self.read}", f"rows mapped: {self.mapped}"]
        lines += _counted("rows that became no event", self.reasons)
        lines += _counted("events by type", Counter(dict(sorted(self.events.items()))))
        lines.append(f"events that the catalogue calls invalid: {self.invalid}")
        if self.repeated:
            lines.append(f"rows that repeat another, whose events aren't sent again: {self.repeated}")
        if self.left_out:
            lines += _counted("optional values left out", self.left_out)
        if self.notes:
            lines += _counted("local times of a changed clock", self.notes)
        return lines


def _counted(title: str, counts: Counter[str]) -> list[str]:
    """A number and what it is made of; of very many reasons the rest in one line."""
    shown = counts.most_common(SHOWN) if len(counts) > SHOWN else list(counts.items())
    if title.startswith("rows"):
        shown = counts.most_common(SHOWN)
    lines = [f"  {reason}: {number}" for reason, number in shown]
    if rest := counts.total() - sum(number for _, number in shown):
        lines.append(f"  {OTHERS}: {rest}")
    return [f"{title}: {counts.total()}", *lines]


def _opened(path: Path) -> BinaryIO:
    try:
        return open(path, "wb")
    except OSError as error:
        raise ReplayError(f"--rejected {path}: must be a file that can be written; got {error.strerror}") from error
