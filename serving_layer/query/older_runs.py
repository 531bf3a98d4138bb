"""Views of a batch run that is not the published one any more, as long as retention holds it."""

from __future__ import annotations

import re
import tempfile
import threading
from contextlib import closing
from pathlib import Path

from catalogue.at_rest.runs import RunManifest, ViewFiles, kept
from catalogue.sql.dialect import connect, rows_of
from runtime.storage.store import StorageError, Store
from serving_layer.errors import UnknownRun
from serving_layer.identity.sight import Sight
from serving_layer.query import cursors
from serving_layer.query.answers import Answer, answer, first_page
from serving_layer.query.deadlines import Deadlines
from serving_layer.query.formats import json_bytes
from serving_layer.query.query import Query
from serving_layer.state.local_copies import copy_view, naming_object

MOST_FILES = 16
_RUN = re.compile(r"[\w.\-]{1,100}")


class OlderRuns:
    """Reads views of runs by id; keeps the files that were asked for last."""

    def __init__(self, batch: Store, deadlines: Deadlines):
        self.batch, self.deadlines = batch, deadlines
        self.folder = tempfile.TemporaryDirectory(prefix="serving-runs-")
        self.files: dict[str, Path] = {}
        self.lock = threading.Lock()

    def page(self, run: str, view: str, query: Query, sight: Sight) -> Answer:
        """A page of what is seen of `view` as run `run` published it. UnknownRun, or StorageError if damaged."""
        manifest = self._manifest(run)
        if view not in manifest.views:
            raise UnknownRun(f"run '{run}' has no view '{view}'")
        covers = {"run": run, "cut": manifest.cut, "head": manifest.cut, "watermark": None, "lag_seconds": None}
        files = manifest.views[view]
        path = files.files[0]
        with self.lock:
            file = self._file(run, files)
            try:
                with naming_object(self.batch, path, file), closing(connect()) as con, self.deadlines.over(con):
                    con.execute(f"CREATE VIEW answer AS FROM {rows_of(file)}")
                    seen = sight.of(con, "answer")
                    table, last, total = first_page(con, seen, query)
                    following = cursors.encoded(query, last, query.snapshot) if last else None
                    return answer(table, total, following, json_bytes(covers), query)
            except StorageError:
                self.files.pop(path).unlink()  # the object may be whole again later
                raise

    def clear(self) -> None:
        """Let go of every file."""
        with self.lock:
            while self.files:
                self.files.popitem()[1].unlink()

    def _manifest(self, run: str) -> RunManifest:
        if not _RUN.fullmatch(run):
            raise UnknownRun(f"run must be the id of a kept run; got '{run[:100]}'")
        try:
            return kept(self.batch, run)
        except FileNotFoundError:
            raise UnknownRun(f"run '{run}' is not kept") from None

    def _file(self, run: str, files: ViewFiles) -> Path:
        path = files.files[0]
        if path not in self.files:
            while len(self.files) >= MOST_FILES:
                self.files.pop(next(iter(self.files))).unlink()
            local = Path(self.folder.name) / path.replace("/", "-")
            try:
                copy_view(self.batch, files, local)
            except FileNotFoundError:
                self._manifest(run)  # retention may have dropped it since
                raise StorageError(f"'{path}' in {self.batch.uri} is gone") from None
            self.files[path] = local
        return self.files[path]
