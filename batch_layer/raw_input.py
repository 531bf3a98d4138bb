"""Which raw files a run has to read: those that no earlier run covers, below what ingestion has committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalogue.at_rest.raw_files import RawName, is_raw_file, newest_commit, topic_folder
from runtime.storage.store import Entry, Store


@dataclass(frozen=True)
class RawInput:
    """The raw files of one topic.

    `head` is the exclusive end of what ingestion committed, by partition; None for a folder without manifests, whose
    end is what it holds.
    """

    files: tuple[Entry, ...]
    head: dict[str, int] | None

    @classmethod
    def of(cls, raw: Store, topic: str, limit: dict[str, int] | None = None) -> RawInput:
        """The topic's files in `raw`, but those that ingestion has not committed yet or that begin beyond `limit`."""
        files = tuple(e for e in raw.list(topic_folder(topic)) if is_raw_file(e.path))
        commit = newest_commit(raw)
        if commit is None:
            return cls(files, None)
        head = commit.head.get(topic, {})
        files = tuple(e for e in files if _last(e) < head.get(_partition(e), 0))
        if limit is None:
            return cls(files, head)
        return cls(tuple(e for e in files if _first(e) < limit.get(_partition(e), 0)), limit)

    def described(self) -> dict[str, Any]:
        """What a later run must know of these files to tell which ones are new."""
        if self.head is not None:
            return {"manifests": True}
        return {"manifests": False, "files": {e.path: e.etag for e in self.files}}

    def since(self, known: dict[str, Any], cut: dict[str, int]) -> tuple[Entry, ...] | None:
        """The files that a run described by `known` and ending at `cut` has not read; None if it can't be told."""
        if known["manifests"] != (self.head is not None):
            return None
        if self.head is not None:
            if any(self.head.get(partition, 0) < end for partition, end in cut.items()):
                return None
            return tuple(e for e in self.files if _last(e) >= cut.get(_partition(e), 0))
        present = {e.path: e.etag for e in self.files}
        if any(present.get(path) != tag for path, tag in known["files"].items()):
            return None
        return tuple(e for e in self.files if e.path not in known["files"])


def _partition(entry: Entry) -> str:
    return str(RawName.parsed(entry.path).partition)


def _first(entry: Entry) -> int:
    return RawName.parsed(entry.path).first


def _last(entry: Entry) -> int:
    return RawName.parsed(entry.path).last
