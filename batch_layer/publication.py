"""Making a run's views visible together, and dropping runs that retention no longer holds.

`_current.json` is the published run; `_runs/<id>.json` is the same text of every run that is kept, so that `republish`
can go back to it. Results of jobs that run as processes of their own wait under `_staged/<id>/`.
"""

from __future__ import annotations

import json

from batch_layer.topic_run import BatchError, TopicResult
from catalogue.at_rest.runs import CURRENT, RUNS, current, run_path, state_folder
from runtime.storage.store import Conflict, Store
from runtime.timestamps import now

ATTEMPTS = 20


def is_published(output: Store, run: str) -> bool:
    """Whether `run` is or was the published one; its files are read and must not be written again."""
    return output.etag(run_path(run)) is not None


def stage(output: Store, results: list[TopicResult], run: str) -> None:
    """Keep results, which may be none, until `staged` collects the run."""
    output.write(f"_staged/{run}/begun", b"")
    for result in results:
        output.write(f"_staged/{run}/{result.topic}.json", result.as_json())


def staged(output: Store, run: str) -> list[TopicResult]:
    """The results that wait for `run`. Raises BatchError where nobody staged it and it was never published."""
    waiting = [e.path for e in output.list(f"_staged/{run}/")]
    if not waiting and not is_published(output, run):
        raise BatchError(f"RUN to publish must have been staged; got {run!r}")
    return [TopicResult(**json.loads(output.read(path))) for path in waiting if path.endswith(".json")]


def forget_staged(output: Store, run: str) -> None:
    """Remove what was staged for `run`."""
    output.delete([e.path for e in output.list(f"_staged/{run}/")])


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
        forget_staged(output, run)
        return manifest
    raise BatchError(f"publish: '{CURRENT}' kept changing under {ATTEMPTS} attempts")


def kept_runs(output: Store) -> list[dict]:
    """The manifests of the runs that are kept, in the order of their publication."""
    found = [json.loads(output.read(e.path)) for e in output.list(RUNS)]
    return sorted(found, key=lambda manifest: manifest["published_at"])  # ids need not tell their age


def republish(output: Store, run: str) -> dict:
    """Point `_current.json` back to a kept run; its manifest.

    Raises BatchError where it isn't kept whole, or where another run is published meanwhile.
    """
    manifest, tag = current(output)
    try:
        data = output.read(run_path(run))
    except FileNotFoundError:
        kept = ", ".join(m["run"] for m in kept_runs(output)) or "none"
        raise BatchError(f"RUN to publish again must be one of the kept ones: {kept}; got {run!r}") from None
    wanted = json.loads(data)
    present = {e.path for folder in _folders(wanted) for e in output.list(f"{folder}/")}
    lacking = [folder for folder in sorted(_folders(wanted)) if not any(p.startswith(f"{folder}/") for p in present)]
    if lacking:
        raise BatchError(f"run {run!r}: its objects must be there; '{lacking[0]}' is gone")
    try:
        output.swap(CURRENT, data, tag)
        if not is_published(output, run):  # retention has dropped it since it was read
            output.swap(CURRENT, json.dumps(manifest, indent=1).encode(), output.etag(CURRENT))
            raise BatchError(f"run {run!r} was dropped meanwhile; {manifest['run']} stays published")
    except Conflict:
        raise BatchError(f"run {run!r} is not published again: another run was published meanwhile") from None
    return wanted


def drop_old_runs(output: Store, keep: int) -> list[str]:
    """Remove the runs before the newest `keep` and the published one, with what only they refer to; their ids."""
    manifests = {e.path: json.loads(output.read(e.path)) for e in output.list(RUNS)}
    published = current(output)[0].get("run")
    by_age = sorted(manifests, key=lambda path: manifests[path]["published_at"])
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
