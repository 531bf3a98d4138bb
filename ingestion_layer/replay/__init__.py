"""Real data as events. Each format is a module with `events(path, skipped)`; what became of what is in
`docs/replay-mappings.md`. Rows that can't be mapped are counted by reason, never dropped in silence.
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from ingestion_layer.replay import caliper, edx, moodle, oulad, own, xapi
from ingestion_layer.replay.source import ReplayError

Record = tuple[str, bytes, bytes]
_READERS: dict[str, Callable[[Path, Counter], Iterator[Record]]] = {
    "events": own.events,
    "moodle": moodle.events,
    "oulad": oulad.events,
    "xapi": xapi.events,
    "caliper": caliper.events,
    "edx": edx.events,
}
FORMATS = tuple(_READERS)
# What readers raise for files that are damaged, cut short, or something else.
UNREADABLE = (OSError, EOFError, zlib.error, csv.Error, ValueError, TypeError, AttributeError, IndexError)


class Replay:
    """The events of a file (or of its folder, for moodle and oulad) in one of FORMATS; raises ReplayError for unusable data."""

    def __init__(self, path: Path, form: str):
        if not path.exists():
            raise ReplayError(f"--replay: file must exist; got {path}")
        if zipfile.is_zipfile(path):
            raise ReplayError(f"--replay {path}: must be plain or gzip, or an unpacked folder; got a zip archive")
        self._path, self._form = path, form
        self.seed = f"{form} {path.name}"
        self.skipped: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Record]:
        try:
            yield from _READERS[self._form](self._path, self.skipped)
        except KeyError as error:
            raise ReplayError(f"--replay {self._path}: {self._form} data must have column {error}") from error
        except UNREADABLE as error:
            raise ReplayError(f"--replay {self._path}: must be readable {self._form} data; got {error}") from error

    def notes(self) -> list[str]:
        """What the summary says: the rows that became no event, by reason."""
        lines = [f"rows that became no event: {sum(self.skipped.values())}"]
        return lines + [f"  {reason}: {number}" for reason, number in self.skipped.most_common()]
