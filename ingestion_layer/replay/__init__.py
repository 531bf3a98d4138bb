"""Real data as events. Each format is a module with a class; what becomes of what is in `docs/replay-mappings.md`.

Every row that is read is mapped or counted with a reason, never dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from ingestion_layer.replay.caliper import Caliper
from ingestion_layer.replay.edx import Edx
from ingestion_layer.replay.files import found
from ingestion_layer.replay.format import Format
from ingestion_layer.replay.moodle import Moodle
from ingestion_layer.replay.oulad import Oulad
from ingestion_layer.replay.own import Own
from ingestion_layer.replay.row import Options, Record, ReplayError
from ingestion_layer.replay.tally import Tally
from ingestion_layer.replay.xapi import Xapi

_FORMATS: dict[str, type[Format]] = {f.name: f for f in (Own, Moodle, Oulad, Xapi, Caliper, Edx)}
FORMATS = tuple(_FORMATS)


def format_named(name: str) -> type[Format]:
    """The class of one of FORMATS."""
    return _FORMATS[name]


class Replay:
    """The events of files and folders in one of FORMATS, in the order of their times; raises ReplayError for unusable
    data.

    What the set of files says doesn't depend on how it is cut into files, nor on their names and order.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        form: str,
        options: Options | None = None,
        rejected: Path | None = None,
        summary: Path | None = None,
    ):
        self._paths, self._form, self._summary = paths, form, summary
        self._files = _FORMATS[form].gathered(found(paths))
        self.seed = " ".join((form, *(path.name for path in paths)))
        self.tally = Tally(self._files, rejected)
        options = options or Options()
        options.left_out = self._left_out
        self._format = _FORMATS[form](options)

    def __iter__(self) -> Iterator[Record]:
        try:
            yield from self._format.records(self._files, self.tally)
        except OSError as error:
            raise ReplayError(f"--replay {self._named()}: must be readable; got {error.strerror or error}") from error

    def notes(self) -> list[str]:
        """What the summary says: what became of the rows. No more of them come."""
        self.tally.close()
        if self._summary:
            try:
                self._summary.write_bytes(orjson.dumps(self.tally.summary(), option=orjson.OPT_INDENT_2) + b"\n")
            except OSError as error:
                raise ReplayError(
                    f"--summary {self._summary}: must be a file to write; got {error.strerror}"
                ) from error
        return self.tally.lines()

    def failure(self) -> str | None:
        """What is wrong where no row became an event."""
        if self.tally.mapped:
            return None
        got = f"no event from {self.tally.read} rows" if self.tally.read else "no row"
        return f"--replay {self._named()}: must be {self._form} data; got {got}"

    def _named(self) -> str:
        return " ".join(map(str, self._paths))

    def _left_out(self, reason: str) -> None:
        self.tally.left_out[reason] += 1


__all__ = ["FORMATS", "Options", "Record", "Replay", "ReplayError", "format_named"]
