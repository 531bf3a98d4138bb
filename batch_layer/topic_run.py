"""The topics of a run: their plans as rounds of tasks, and what came of them.

The state of a run stands under `_state/<topic>/run=<id>/` (`state.py`), with `inputs.json`, which says what was read,
by which rules, and which files are the state: some may be those of earlier runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest

from batch_layer.buckets import stands_in_buckets
from batch_layer.config import VIEW_BYTES
from batch_layer.report import Report, summed
from batch_layer.steps import Round, Task
from batch_layer.topic_plan import TopicPlan
from batch_layer.topic_task import BatchError, TopicResult
from batch_layer.topic_tasks import EventTask, SliceTask, StateTask
from batch_layer.view_cuts import cuts, parts_of
from batch_layer.view_tasks import LinkTask, PartTask, SplitTask, WholeTask
from catalogue.at_rest.ledger import Entries, add_entries
from catalogue.at_rest.runs import ViewFiles, state_folder
from catalogue.views import ROLLUPS


def computed(waiting: Sequence[TopicPlan], engine: Callable[[Sequence[Round]], list[Report]]) -> list[TopicResult]:
    """The results of plans, whose tasks `engine` runs. Raises BatchError that names every topic that failed."""
    found = _reports(waiting, engine(_rounds(waiting)))
    again = [plan.of_everything() for plan, report in found if report.again]
    done = [(plan, report) for plan, report in found if not report.again]
    if again:
        done += _reports(again, engine(_rounds(again)))
    views = [_view_rounds(plan, report) for plan, report in done]
    together = [[task for tasks in round_ for task in tasks] for round_ in zip_longest(*views, fillvalue=())]
    if any(together):
        made = engine([tasks for tasks in together if tasks])
        done = [(plan, summed(plan.task.topic, [report, *made])) for plan, report in done]
        _complain(done)
    return [_result(plan, report) for plan, report in done]


def _rounds(waiting: Iterable[TopicPlan]) -> list[Round]:
    slices: list[Task] = []
    events: list[Task] = []
    states: list[Task] = []
    for plan in waiting:
        mine = plan.for_tasks()
        slices += [SliceTask(mine, number, files, plan.is_whole) for number, files in enumerate(plan.slices)]
        if not plan.is_whole:
            events += [EventTask(mine, number) for number in range(plan.buckets)]
        if plan.buckets > 1:
            states += [StateTask(mine, number) for number in range(plan.buckets)]
    return [tasks for tasks in (slices, events, states) if tasks]


def _view_rounds(plan: TopicPlan, report: Report) -> Sequence[Round]:
    """The views that are made from all buckets, in up to three rounds."""
    if plan.buckets == 1:
        return []
    mine = plan.for_tasks()
    sizes = _sizes(plan, report)
    rounds: list[list[Task]] = [[], [], []]
    for cut in cuts(v for v in plan.task.views if not stands_in_buckets(v, v.rollups(ROLLUPS))):
        parts = parts_of(cut, sizes, plan.buckets, VIEW_BYTES)
        states = {r.name: report.states[r.name] for r in cut.rollups}
        if parts == 1:
            whole = {name: [f for files in buckets.values() for f in files] for name, buckets in states.items()}
            rounds[0].append(WholeTask(mine, 0, cut, whole))
            continue
        cut = replace(cut, parts=parts)
        for bucket in range(plan.buckets):
            held = {name: buckets[str(bucket)] for name, buckets in states.items()}
            rounds[0].append(SplitTask(mine, bucket, cut, held))
        made = [PartTask(mine, number, cut, {}) for number in range(parts)]
        rounds[1] += [LinkTask(mine, number, cut, {}) for number in range(parts)] if cut.is_linked else made
        rounds[2] += made if cut.is_linked else []
    return rounds


def _sizes(plan: TopicPlan, report: Report) -> dict[str, int]:
    """Bytes of the files of each rollup's state."""
    paths = {name: [f for files in buckets.values() for f in files] for name, buckets in report.states.items()}
    folders = {path.rpartition("/")[0] for held in paths.values() for path in held}
    sizes = {e.path: e.size for folder in folders for e in plan.task.output.list(f"{folder}/")}
    return {name: sum(sizes.get(path, 0) for path in held) for name, held in paths.items()}


def _reports(waiting: Iterable[TopicPlan], reports: Sequence[Report]) -> list[tuple[TopicPlan, Report]]:
    found = [(plan, summed(plan.task.topic, reports)) for plan in waiting]
    _complain(found)
    return found


def _complain(found: Iterable[tuple[TopicPlan, Report]]) -> None:
    failures = [f"{plan.task.topic}: {report.failure}" for plan, report in found if report.failure and not report.again]
    if failures:
        raise BatchError("; ".join(failures))


def _result(plan: TopicPlan, report: Report) -> TopicResult:
    """What came of a topic, with what a later run has to know of it written beside its state."""
    task = plan.task
    ledger: Entries = {partition: dict(entry) for partition, entry in plan.known.get("ledger", {}).items()}
    add_entries(ledger, report.ledger)
    cut = plan.cut | report.cut | (plan.source.head or {})
    views = {v.name: ViewFiles(f"{v.name}/run={task.run}", *report.views[v.name]) for v in task.views}
    _remove_leftovers(plan, report)
    task.output.write(task.inputs(task.run), json.dumps(plan.covers(cut, ledger, report.states)).encode())
    return TopicResult(
        task.topic,
        task.run,
        task.base if plan.known else None,
        cut,
        ledger,
        views,
        report.events,
        report.unreadable_lines,
        report.seconds,
        task.erased.version,
        {} if plan.known else task.floor,
    )


def _remove_leftovers(plan: TopicPlan, report: Report) -> None:
    """Remove what an attempt at the same run has left that was cut into more parts: readers take whole folders."""
    task = plan.task
    written = report.parts | {f for buckets in report.states.values() for files in buckets.values() for f in files}
    folders = [state_folder(task.topic, task.run), *(f"{view.name}/run={task.run}" for view in task.views)]
    task.output.delete([e.path for folder in folders for e in task.output.list(f"{folder}/") if e.path not in written])
