"""Which raw files a run has to read: those that no earlier run covers, below what ingestion has committed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from batch_layer.config import RAW_SUFFIXES
from runtime.storage.store import Entry, Store

_NAME = re.compile(r"part-(\d{5})-(\d{20})-(\d{20})(-\d+)?\.json")


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
        """The topic's files in `raw`, without those that ingestion has not committed yet or that begin beyond `limit`."""
        files = tuple(e for e in raw.list(f"topic={topic}/") if e.path.endswith(RAW_SUFFIXES) and not _hidden(e))
        commits = raw.list("_commits/")
        if not commits:
            return cls(files, None)
        head = json.loads(raw.read(commits[-1].path))["head"].get(topic, {})
        files = tuple(e for e in files if _last(e) < head.get(_partition(e), 0))
        if limit is None:
            return cls(files, head)
        return cls(tuple(e for e in files if _first(e) < limit.get(_partition(e), 0)), limit)

    def described(self) -> dict:
        """What a later run must know of these files to tell which ones are new."""
        if self.head is not None:
            return {"manifests": True}
        return {"manifests": False, "files": {e.path: e.etag for e in self.files}}

    def since(self, known: dict, cut: dict[str, int]) -> tuple[Entry, ...] | None:
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


def _hidden(entry: Entry) -> bool:
    """Whether Hadoop's tools would pass it over: what a writer has not finished, its sums and marks."""
    return any(part.startswith(("_", ".")) for part in entry.path.split("/"))


def _partition(entry: Entry) -> str:
    return str(int(_name(entry)[1]))


def _first(entry: Entry) -> int:
    return int(_name(entry)[2])


def _last(entry: Entry) -> int:
    return int(_name(entry)[3])


def _name(entry: Entry) -> re.Match[str]:
    match = _NAME.search(entry.path)
    if not match:
        raise ValueError(
            f"raw file '{entry.path}': name must be part-<partition>-<first>-<last>[-<commit>].json* beside manifests"
        )
    return match
