"""Making a run's views visible together, and dropping runs that retention no longer holds.

`_current.json` is the published run; `_runs/<id>.json` is the same text of every run that is kept, so that `republish`
can go back to it. Results of jobs that run as processes of their own wait under `_staged/<id>/`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from batch_layer.topic_task import BatchError, TopicResult
from catalogue.at_rest.erasures import age
from catalogue.at_rest.runs import CURRENT, RunManifest, current, kept_runs, read_manifest, run_path, state_index
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
    return [TopicResult.of_json(output.read(path)) for path in waiting if path.endswith(".json")]


def forget_staged(output: Store, run: str) -> None:
    """Remove what was staged for `run`."""
    output.delete([e.path for e in output.list(f"_staged/{run}/")])


def publish(output: Store, run: str, results: list[TopicResult]) -> RunManifest:
    """Publish results as one run; topics without a result stay at their earlier run. Returns the new manifest.

    Raises BatchError where a topic was published by somebody else since its result went on from the earlier run.
    """
    for _ in range(ATTEMPTS):
        earlier, tag = current(output)
        manifest = replace(earlier, run=run, published_at=now())
        for result in results:
            manifest = _with(manifest, result)
        data = manifest.encoded()
        output.write(run_path(run), data)
        try:
            output.swap(CURRENT, data, tag)
        except Conflict:
            continue
        forget_staged(output, run)
        return manifest
    raise BatchError(f"publish: '{CURRENT}' kept changing under {ATTEMPTS} attempts")


def _with(manifest: RunManifest, result: TopicResult) -> RunManifest:
    topic, found = result.topic, manifest.state.get(result.topic)
    if found == result.run:  # published already, by an attempt that was stopped before it could say so
        return manifest
    if result.base is not None and result.base != found:
        raise BatchError(f"{topic}: must go on from the published run {found}; got one from {result.base}")
    if age(result.erased) < age(manifest.erasures.get(topic, "")):
        raise BatchError(f"{topic}: somebody was erased since the run began; run it again")
    return replace(
        manifest,
        cut={**manifest.cut, topic: result.cut},
        ledger={**manifest.ledger, topic: result.ledger},
        views={**manifest.views, **result.views},
        state={**manifest.state, topic: result.run},
        erasures={**manifest.erasures, topic: result.erased} if result.erased else manifest.erasures,
        begins=_begins(manifest, result),
    )


def _begins(manifest: RunManifest, result: TopicResult) -> dict[str, dict[str, int]]:
    if result.base is not None:
        return manifest.begins
    others = {topic: begins for topic, begins in manifest.begins.items() if topic != result.topic}
    return {**others, result.topic: result.begins} if result.begins else others


def republish(output: Store, run: str) -> RunManifest:
    """Point `_current.json` back to a kept run; its manifest.

    Raises BatchError where it isn't kept whole, or where another run is published meanwhile.
    """
    published, tag = current(output)
    try:
        data = output.read(run_path(run))
    except FileNotFoundError:
        known = ", ".join(m.run for m in kept_runs(output)) or "none"
        raise BatchError(f"RUN to publish again must be one of the kept ones: {known}; got {run!r}") from None
    wanted = read_manifest(data, f"'{run_path(run)}' in {output.uri}")
    if age(wanted.erased) < age(published.erased):
        raise BatchError(f"run {run!r}: somebody was erased since; {published.run} stays published")
    lacking = [folder for folder in sorted(wanted.folders) if not output.list(f"{folder}/")]
    lacking = lacking or [path for path in sorted(_state_files(output, wanted)) if output.etag(path) is None]
    if lacking:
        raise BatchError(f"run {run!r}: its objects must be there; '{lacking[0]}' is gone")
    try:
        output.swap(CURRENT, data, tag)
        if not is_published(output, run):  # retention has dropped it since it was read
            output.swap(CURRENT, published.encoded(), output.etag(CURRENT))
            raise BatchError(f"run {run!r} was dropped meanwhile; {published.run} stays published")
    except Conflict:
        raise BatchError(f"run {run!r} is not published again: another run was published meanwhile") from None
    return wanted


def drop_old_runs(output: Store, keep: int) -> list[str]:
    """Remove the runs before the newest `keep` and the published one, with what only they refer to; their ids."""
    manifests = kept_runs(output)
    published = current(output)[0].run
    return _drop(output, manifests, [m for m in manifests[: -keep or None] if m.run != published])


def drop_runs_before(output: Store, erased: str) -> list[str]:
    """Remove the runs that were made before this version of who was erased, and what only they refer to; their ids."""
    manifests = kept_runs(output)
    return _drop(output, manifests, [manifest for manifest in manifests if age(manifest.erased) < age(erased)])


def drop_runs(output: Store, runs: list[str]) -> None:
    """Remove the runs of these ids, and what only they refer to."""
    manifests = kept_runs(output)
    _drop(output, manifests, [manifest for manifest in manifests if manifest.run in runs])


def _drop(output: Store, manifests: list[RunManifest], dropped: list[RunManifest]) -> list[str]:
    if not dropped:
        return []
    kept = [manifest for manifest in manifests if manifest not in dropped]
    needed = set().union(*(manifest.folders for manifest in kept))
    read = set().union(*(_state_files(output, manifest) for manifest in kept))
    for manifest in dropped:
        paths = _state_files(output, manifest)
        for folder in manifest.folders - needed:
            paths |= {e.path for e in output.list(f"{folder}/")}
        # A state that is kept may go on from files of one that isn't.
        output.delete(sorted(path for path in paths - read if path.rpartition("/")[0] not in needed))
        output.delete([run_path(manifest.run)])
    return [manifest.run for manifest in dropped]


def _state_files(output: Store, manifest: RunManifest) -> set[str]:
    """Every file of its states, those among them that earlier runs have written."""
    found: set[str] = set()
    for topic, run in manifest.state.items():
        with suppress(FileNotFoundError):  # nothing is left of it but its manifest
            found |= {path for paths in state_index(output, topic, run).values() for path in paths}
    return found
