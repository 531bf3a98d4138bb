"""What a batch run leaves below the batch views, for the layers that write and read it: its manifest and its files.

`_current.json` is the manifest of the published run, `_runs/<id>.json` the same of every run that retention holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from catalogue.at_rest.erasures import age
from catalogue.at_rest.ledger import Ledger
from runtime.storage.store import StorageError, Store

CURRENT = "_current.json"
RUNS = "_runs/"
PARTS = ("settled", "recent")
# Of a state's files and of what `inputs.json` says of them; one of another form is not gone on from.
STATE_FORM = 2
# Of the manifest's form. What only adds fields keeps it: readers hand on what they don't know.
VERSION = 1


@dataclass(frozen=True)
class ViewFiles:
    """Where a run's view is: the folder of its Parquet files, the rows in all of them, SQL type by column in order.

    `parts` is how many files there are: one, or several of a large view.
    """

    path: str
    rows: int
    columns: dict[str, str] = field(default_factory=dict)
    parts: int = 1
    unknown: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """The Parquet files, which together are the view."""
        return [view_file(self.path, part) for part in range(self.parts)]

    def described(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        parts = {"parts": self.parts} if self.parts != 1 else {}
        return {**self.unknown, "path": self.path, "rows": self.rows, "columns": self.columns, **parts}


@dataclass(frozen=True)
class RunManifest:
    """What a run covers and where it is; `NOTHING` stands for what is published before the first one.

    `cut` is the first offset not covered, by topic and partition. `state` is, by topic, the run that computed its state
    and views: an earlier one where this run had nothing new of the topic. `erasures` is, by topic, the version of who
    was erased that its state was made by. `begins` is, by topic and partition, the first offset that it counts, where
    retention had dropped what is before when the topic was last computed anew. `unknown` holds fields of a later
    release.
    """

    run: str
    published_at: str
    cut: dict[str, dict[str, int]] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=dict)
    views: dict[str, ViewFiles] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    erasures: dict[str, str] = field(default_factory=dict)
    begins: dict[str, dict[str, int]] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """The manifest as it is stored."""
        views = {name: view.described() for name, view in self.views.items()}
        known = {
            "version": VERSION,
            "run": self.run,
            "published_at": self.published_at,
            "cut": self.cut,
            "ledger": self.ledger,
            "views": views,
            "state": self.state,
        }
        said = {"erasures": self.erasures, "begins": self.begins}
        told = {name: value for name, value in said.items() if value}
        return json.dumps({**known, **told, **self.unknown}, indent=1).encode()

    @property
    def erased(self) -> str:
        """The version of who was erased that all of it was made by, the oldest of its topics'."""
        return min((self.erasures.get(topic, "") for topic in self.state), key=age, default="")

    @property
    def landed(self) -> int:
        """How many events it covers, whatever became of them."""
        return sum(entry["landed"] for entries in self.ledger.values() for entry in entries.values())

    @property
    def folders(self) -> set[str]:
        """Every folder that it needs: of views, and of states."""
        return {v.path for v in self.views.values()} | {state_folder(topic, run) for topic, run in self.state.items()}


NOTHING = RunManifest("", "")


def current(batch: Store) -> tuple[RunManifest, str | None]:
    """The published run's manifest and its tag; NOTHING and None where nothing was published."""
    tag = batch.etag(CURRENT)
    return (_manifest(batch, CURRENT), tag) if tag else (NOTHING, None)


def kept(batch: Store, run: str) -> RunManifest:
    """The manifest of a run that retention holds. FileNotFoundError where it holds it no more."""
    return _manifest(batch, run_path(run))


def kept_runs(batch: Store) -> list[RunManifest]:
    """The manifests of the runs that retention holds, in the order of their publication."""
    found = []
    for entry in batch.list(RUNS):
        try:
            found.append(_manifest(batch, entry.path))
        except FileNotFoundError:  # dropped since it was listed
            continue
    return sorted(found, key=lambda manifest: manifest.published_at)  # ids need not tell their age


def run_path(run: str) -> str:
    """The manifest of a kept run."""
    return f"{RUNS}{run}.json"


def state_folder(topic: str, run: str) -> str:
    """What a run has written of a topic's state: Parquet files of rollups and of ids, and `inputs.json`, its index."""
    return f"_state/{topic}/run={run}"


def state_file(topic: str, run: str, name: str, part: str, bucket: int = 0) -> str:
    """Where a run writes one of the PARTS of a bucket of a rollup, or of the ids."""
    return f"{state_folder(topic, run)}/{name}-{part}{f'-{bucket:05}' if bucket else ''}.parquet"


def state_index(batch: Store, topic: str, run: str) -> dict[str, list[str]]:
    """The Parquet files of a topic's state after a run, by rollup, and of the `ids`; some are an earlier run's.

    The rows of all of a name's files together, merged, are the state. Empty for a run of an earlier release.
    """
    path = f"{state_folder(topic, run)}/inputs.json"
    name = f"'{path}' in {batch.uri}"
    try:
        found = json.loads(batch.read(path))
    except ValueError as error:
        raise StorageError(f"{name}: must be JSON; {error}") from error
    if not isinstance(found, dict) or not _map_of(_map_of(_paths))(found.get("states", {})):
        raise StorageError(f"{name}: field 'states' must be paths by name and bucket; got {_short(found)}")
    states = found.get("states", {})
    return {name: [path for paths in buckets.values() for path in paths] for name, buckets in states.items()}


def state_files(batch: Store, topic: str, run: str, name: str) -> list[str]:
    """The Parquet files of a rollup, or of the ids, after a run; their rows together, merged, are the state."""
    return state_index(batch, topic, run).get(name) or [state_file(topic, run, name, part) for part in PARTS]


def view_file(folder: str, part: int = 0) -> str:
    """Where a run writes a part of a view whose folder a manifest's `path` names."""
    return f"{folder}/part-{part:05}.parquet"


def read_manifest(text: bytes, name: str) -> RunManifest:
    """The manifest that `text` is. Raises StorageError that says which field of `name` is damaged."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise StorageError(f"{name}: must be JSON; {error}") from error
    if not isinstance(found, dict):
        raise StorageError(f"{name}: must be a run's manifest; got {_short(found)}")
    version = found.pop("version", VERSION)
    if not _whole(version) or version > VERSION:
        raise StorageError(f"{name}: field 'version' must be at most {VERSION}; got {_short(version)}")
    found.setdefault("erasures", {})
    found.setdefault("begins", {})
    known = {field_: _taken(found, field_, *rule, name) for field_, rule in _RULES.items()}
    views = {view: _view(files, f"{name}: view {view!r}") for view, files in known.pop("views").items()}
    return RunManifest(**known, views=views, unknown=found)


def _manifest(batch: Store, path: str) -> RunManifest:
    return read_manifest(batch.read(path), f"'{path}' in {batch.uri}")


def _view(found: dict[str, Any], name: str) -> ViewFiles:
    found.setdefault("parts", 1)
    return ViewFiles(**{key: _taken(found, key, *rule, name) for key, rule in _VIEW_RULES.items()}, unknown=found)


def _taken(found: dict[str, Any], key: str, fits: Callable[[Any], bool], wanted: str, name: str) -> Any:
    """A field's value, removed from what was found."""
    if key not in found:
        raise StorageError(f"{name}: field '{key}' must be {wanted}; got none")
    value = found.pop(key)
    if not fits(value):
        raise StorageError(f"{name}: field '{key}' must be {wanted}; got {_short(value)}")
    return value


def _short(value: object) -> str:
    return json.dumps(value)[:60]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _paths(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _map_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "run": (_text, "the run's id"),
    "published_at": (_text, "a time"),
    "cut": (_map_of(_map_of(_whole)), "offsets by topic and partition"),
    "ledger": (_map_of(_map_of(_map_of(_whole))), "counts by topic, partition and fate"),
    "views": (_map_of(lambda value: isinstance(value, dict)), "an object for each view"),
    "state": (_map_of(_text), "a run's id by topic"),
    "begins": (_map_of(_map_of(_whole)), "offsets by topic and partition"),
    "erasures": (_map_of(_text), "a version of who was erased by topic"),
}
_VIEW_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "path": (_text, "a folder"),
    "rows": (_whole, "a count"),
    "columns": (_map_of(_text), "SQL types by column"),
    "parts": (_whole, "a count"),
}
