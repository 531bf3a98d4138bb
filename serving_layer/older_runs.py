"""Views of a batch run that is not the published one any more, as long as retention holds it."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from catalogue.runs import run_path, view_file
from catalogue.storage import StorageError, Store
from serving_layer.answers import Answer, count, read
from serving_layer.formats import json_bytes
from serving_layer.query import Query

MOST_FILES = 16
_RUN = re.compile(r"[\w.\-]{1,100}")


class UnknownRun(LookupError):
    """Retention holds no run of that id."""


class OlderRuns:
    """Reads views of runs by id; keeps the files that were asked for last."""

    def __init__(self, batch: Store):
        self.batch = batch
        self.folder = tempfile.TemporaryDirectory(prefix="serving-runs-")
        self.files: dict[str, Path] = {}
        self.lock = threading.Lock()

    def page(self, run: str, view: str, query: Query) -> Answer:
        """A page of `view` as run `run` published it. Raises UnknownRun, and StorageError where it is damaged."""
        manifest = self._manifest(run)
        if view not in manifest.get("views", {}):
            raise UnknownRun(f"run '{run}' has no view '{view}'")
        covers = {"run": run, "cut": manifest["cut"], "head": manifest["cut"], "watermark": None, "lag_seconds": None}
        with self.lock:
            file = self._file(manifest["views"][view]["path"])
            with closing(duckdb.connect()) as con:
                con.execute("SET TimeZone = 'UTC'")
                try:
                    con.execute(f"CREATE VIEW answer AS FROM read_parquet('{file}', hive_partitioning = false)")
                except duckdb.Error as error:
                    raise StorageError(f"'{view}' of run '{run}': {str(error).splitlines()[0]}") from None
                return read(con, "answer", query, count(con, "answer", query), json_bytes(covers))

    def _manifest(self, run: str) -> dict[str, Any]:
        if not _RUN.fullmatch(run):
            raise UnknownRun(f"run must be the id of a kept run; got '{run[:100]}'")
        try:
            return json.loads(self.batch.read(run_path(run)))
        except FileNotFoundError:
            raise UnknownRun(f"run '{run}' is not kept") from None
        except ValueError as error:
            raise StorageError(f"'{run_path(run)}' in {self.batch.uri}: must be JSON; {error}") from None

    def _file(self, path: str) -> Path:
        if path not in self.files:
            while len(self.files) >= MOST_FILES:
                self.files.pop(next(iter(self.files))).unlink()
            local = Path(self.folder.name) / (path.replace("/", "-") + ".parquet")
            try:
                self.batch.download(view_file(path), local)
            except FileNotFoundError:
                raise UnknownRun(f"'{path}' is not kept any more") from None
            self.files[path] = local
        return self.files[path]
