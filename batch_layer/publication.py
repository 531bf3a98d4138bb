"""Making a run's views visible together, and dropping runs that retention no longer holds.

`_current.json` is the published run; `_runs/<id>.json` is the same text of every run that is kept, so that copying one
over `_current.json` goes back to it. Results of jobs that run as processes of their own wait under `_staged/<id>/`.
"""

from __future__ import annotations

import json

from batch_layer.topic_run import BatchError, TopicResult
from catalogue.moments import now
from catalogue.runs import CURRENT, RUNS, current, run_path, state_folder
from catalogue.storage import Conflict, Store

ATTEMPTS = 20


def is_published(output: Store, run: str) -> bool:
    """Whether `run` is or was the published one; its files are read and must not be written again."""
    return output.etag(run_path(run)) is not None


def stage(output: Store, results: list[TopicResult], run: str) -> None:
    """Keep results until `staged` collects the run."""
    for result in results:
        output.write(f"_staged/{run}/{result.topic}.json", result.as_json())


def staged(output: Store, run: str) -> list[TopicResult]:
    """The results that wait for `run`."""
    return [TopicResult(**json.loads(output.read(e.path))) for e in output.list(f"_staged/{run}/")]


def publish(output: Store, run: str, results: list[TopicResult]) -> dict:
    """Publish results as one run; topics without a result stay at their earlier run. Returns the new manifest.

    Raises BatchError where a topic was published by somebody else since its result went on from the earlier run.
    """
    for _ in range(ATTEMPTS):
        manifest, tag = current(output)
        merged = {key: dict(manifest.get(key, {})) for key in ("cut", "ledger", "views", "state")}
        for result in results:
            found = merged["state"].get(result.topic)
            if found == result.run:  # published already, by an attempt that was stopped before it could say so
                continue
            if result.base is not None and result.base != found:
                raise BatchError(
                    f"{result.topic}: must go on from the published run {found}; got one from {result.base}"
                )
            merged["cut"][result.topic] = result.cut
            merged["ledger"][result.topic] = result.ledger
            merged["views"] |= result.views
            merged["state"][result.topic] = result.run
        manifest = {"run": run, "published_at": now(), **merged}
        data = json.dumps(manifest, indent=1).encode()
        output.write(run_path(run), data)
        try:
            output.swap(CURRENT, data, tag)
        except Conflict:
            continue
        output.delete([e.path for e in output.list(f"_staged/{run}/")])
        return manifest
    raise BatchError(f"publish: '{CURRENT}' kept changing under {ATTEMPTS} attempts")


def drop_old_runs(output: Store, keep: int) -> list[str]:
    """Remove the runs before the newest `keep` and the published one, with what only they refer to; their ids."""
    manifests = {e.path: json.loads(output.read(e.path)) for e in output.list(RUNS)}
    published = current(output)[0].get("run")
    by_age = sorted(manifests, key=lambda path: manifests[path]["published_at"])  # ids need not tell their age
    dropped = {path: manifests[path]["run"] for path in by_age[: -keep or None] if manifests[path]["run"] != published}
    needed = set().union(*(_folders(manifest) for path, manifest in manifests.items() if path not in dropped))
    for path in dropped:
        for folder in _folders(manifests[path]) - needed:
            output.delete([e.path for e in output.list(f"{folder}/")])
        output.delete([path])
    return list(dropped.values())


def _folders(manifest: dict) -> set[str]:
    views = {view["path"] for view in manifest["views"].values()}
    return views | {state_folder(topic, run) for topic, run in manifest["state"].items()}
