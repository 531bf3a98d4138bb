"""What a format of real data is: it reads rows, knows their moments and identities, and maps one after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import orjson

from ingestion_layer.replay.event import event_type
from ingestion_layer.replay.files import Damaged, Lines
from ingestion_layer.replay.identity import canonical, digest, uuid_of
from ingestion_layer.replay.json_rows import documents
from ingestion_layer.replay.memory import Memory
from ingestion_layer.replay.moments import SECOND
from ingestion_layer.replay.row import MALFORMED, Options, Record, Row, Unmapped
from ingestion_layer.replay.rule import Rule
from ingestion_layer.replay.spool import Spool, Spooled
from ingestion_layer.replay.tally import Tally


class Entry(NamedTuple):
    """A row that was read: `content` is what its identity is made of, `rank` tells which of one moment comes first."""

    document: dict[str, Any]
    moment: int
    content: bytes
    rank: int = 0


class Format(ABC):
    """Some files as events."""

    name = ""
    # Its section of the printed page: what it is and how its rows are read, and what becomes of which.
    about: ClassVar[str] = ""
    rules: ClassVar[tuple[Rule, ...]] = ()

    def __init__(self, options: Options):
        self.options = options

    @staticmethod
    def gathered(files: list[Path]) -> list[Path]:
        """The files to read: those given, and what belongs to them."""
        return files

    @abstractmethod
    def records(self, files: list[Path], tally: Tally) -> Iterator[Record]:
        """The events of files, with an account of every row."""


class Rows(Format):
    """Rows of some files as events. A subclass says how rows are read and what one becomes.

    `mapped` is a function of the row and of `memory`, so that a row that comes by another way becomes the same.
    """

    lacks = "lacks what it should tell"

    def __init__(self, options: Options):
        super().__init__(options)
        self.memory = Memory()

    @abstractmethod
    def read(self, files: list[Path]) -> Iterator[tuple[int, Entry | str]]:
        """Each row with the number of its file, or the reason why it is none."""

    def own_key(self, document: dict[str, Any]) -> str | None:
        """The UUID that the source itself gave a row."""
        return None

    @abstractmethod
    def mapped(self, row: Row) -> list[Record]:
        """The events that a row becomes, at least one; raises Unmapped and MALFORMED."""

    def records(self, files: list[Path], tally: Tally) -> Iterator[Record]:
        """Events in the order of their times; of rows that are equal in several files those of one."""
        yield from self._mapped(self._spooled(files, tally), tally)

    def events(self, row: Row) -> list[Record]:
        """What `mapped` makes of a row, with any fault as Unmapped."""
        try:
            return self.mapped(row)
        except MALFORMED as error:
            raise Unmapped(self.lacks) from error

    def row(self, document: dict[str, Any], moment: int, content: bytes, ordinal: int = 0) -> Row:
        """A row with its identity: the source's own, or its content and the ordinal among equal ones."""
        key = self.own_key(document)
        return Row(document, moment, key or uuid_of(b"%s\x1f%s\x1f%d" % (self.name.encode(), digest(content), ordinal)))

    def _spooled(self, files: list[Path], tally: Tally) -> Spool:
        spool, number, last = Spool(), 0, -1
        for file, found in self.read(files):
            number, last = (number + 1 if file == last else 1), file
            tally.read += 1
            if isinstance(found, str):
                tally.reject(file, number, found)
                continue
            document, moment, content, rank = found
            spool.add(Spooled(moment, digest(content), file, number, orjson.dumps(document)), rank)
        tally.notes.update(self.options.clock.odd)
        return spool

    def _mapped(self, rows: Spool, tally: Tally) -> Iterator[Record]:
        last, outcomes, ordinal = Spooled(-1, b"", -1, -1, b""), list[str | None](), 0
        owned: set[str] = set()
        for spooled in rows:
            moment, identity, file, number, content = spooled
            document = orjson.loads(content)
            own = self.own_key(document)
            if identity != last.digest or moment != last.moment:
                outcomes, ordinal = [], 0
                if moment != last.moment:
                    owned.clear()
            elif own or moment % SECOND or file != last.file:
                ordinal = 0
            else:  # a clock of whole seconds doesn't tell two clicks apart, but a file that has both does
                ordinal += 1
            last = spooled
            made: list[Record] = []
            if ordinal < len(outcomes):
                tally.repeated += 1
            else:
                key = own
                if own is None or own in owned:  # a source may give one id to several rows of a moment
                    key = uuid_of(b"%s\x1f%s\x1f%d" % (self.name.encode(), identity, ordinal))
                else:
                    owned.add(own)
                outcome: str | None = None
                try:
                    made = self.events(Row(document, moment, key or ""))
                except Unmapped as reason:
                    outcome = str(reason)
                outcomes.append(outcome)
            if outcomes[ordinal] is None:
                tally.mapped += 1
            else:
                tally.reject(file, number, outcomes[ordinal] or "")
            for record in made:
                tally.events[event_type(record)] += 1
                yield record


class Documents(Rows):
    """A format whose rows are JSON documents."""

    containers: tuple[str, ...] = ()

    def unpacked(self, document: dict[str, Any]) -> Iterator[Any]:
        """The rows of a document, which may hold several."""
        yield document

    @abstractmethod
    def moment(self, document: dict[str, Any]) -> int:
        """When a row happened; raises Unmapped, ValueError and MALFORMED."""

    def content(self, document: dict[str, Any], moment: int) -> bytes:
        """What a row is: equal for rows that are the same."""
        return canonical(document)

    def rank(self, document: dict[str, Any]) -> int:
        """Which of the rows of one moment comes first."""
        return 0

    def learn(self, document: dict[str, Any]) -> None:
        """Take note of what other rows, earlier ones too, have to know of this one; Unmapped or MALFORMED where it
        tells nothing.
        """

    def entry(self, document: Any) -> Entry | str:
        """A row ready to be sorted, or why it is none."""
        if not isinstance(document, dict):
            return "not a JSON object"
        try:
            moment = self.moment(document)
            content = self.content(document, moment)
            rank = self.rank(document)
        except Unmapped as reason:
            return str(reason)
        except MALFORMED as error:
            return str(error) if type(error) is ValueError else self.lacks
        with suppress(Unmapped, *MALFORMED):
            self.learn(document)
        return Entry(document, moment, content, rank)

    def read(self, files: list[Path]) -> Iterator[tuple[int, Entry | str]]:
        """Rows of JSON documents, however they stand in their files."""
        for file, path in enumerate(files):
            try:
                for found in documents(Lines(path), self.containers):
                    if isinstance(found, str):
                        yield file, found
                    else:
                        for document in self.unpacked(found):
                            yield file, self.entry(document)
            except Damaged as damage:
                yield file, str(damage)
