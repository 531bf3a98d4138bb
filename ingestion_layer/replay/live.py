"""Statements and events as they arrive one by one: the same events, with the same identities, as from files."""

from __future__ import annotations

from typing import Any

from ingestion_layer.replay import format_named
from ingestion_layer.replay.format import Documents
from ingestion_layer.replay.memory import Memory
from ingestion_layer.replay.row import Options, Record, Unmapped


class Live:
    """Maps the documents of one source in the order in which they come; what was learnt of earlier ones is in `memory`.

    Of what files know from later rows (roles, numbers of names, voiding) it knows what has come so far.
    """

    def __init__(self, form: str, options: Options | None = None):
        made = format_named(form)(options or Options())
        if not isinstance(made, Documents):
            raise ValueError(f"live: format must be one of JSON documents; got {form}")
        self._format = made

    @property
    def memory(self) -> Memory:
        """What was learnt of earlier documents; it can be pickled."""
        return self._format.memory

    @property
    def options(self) -> Options:
        """What is said of the source."""
        return self._format.options

    def remember(self, memory: Memory) -> None:
        """Go on with what another one had learnt."""
        self._format.memory = memory

    def events(self, document: dict[str, Any]) -> list[Record]:
        """The events of a document that is no container of others; Unmapped says why there is none."""
        self._format.options.clock.go_on()
        entry = self._format.entry(document)
        if isinstance(entry, str):
            raise Unmapped(entry)
        return self._format.events(self._format.row(document, entry.moment, entry.content))

    def key(self, document: dict[str, Any], ordinal: int = 0) -> str | None:
        """The UUID of a document, its own or that of its content and its ordinal among equal ones; None without one."""
        self._format.options.clock.go_on()
        entry = self._format.entry(document)
        return None if isinstance(entry, str) else self._format.row(document, *entry[1:3], ordinal).key

    def unpacked(self, document: dict[str, Any]) -> list[Any]:
        """The documents that one holds, as an envelope does; else the one that it is."""
        return list(self._format.unpacked(document))
