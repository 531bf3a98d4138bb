"""The topics of a run: their plans as rounds of tasks, and what came of them.

The state of a run stands under `_state/<topic>/run=<id>/` (`state.py`), with `inputs.json`, which says what was read,
by which rules, and which files are the state: some may be those of earlier runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from batch_layer.buckets import stands_in_buckets
from batch_layer.report import Report, summed
from batch_layer.steps import Round, Task
from batch_layer.topic_plan import TopicPlan
from batch_layer.topic_task import BatchError, TopicResult
from batch_layer.topic_tasks import EventTask, SliceTask, StateTask, ViewTask
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
    views = [task for plan, report in done for task in _view_tasks(plan, report)]
    if views:
        made = engine([views])
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


def _view_tasks(plan: TopicPlan, report: Report) -> list[Task]:
    """The views that are made from all buckets."""
    if plan.buckets == 1:
        return []
    mine = plan.for_tasks()
    views = [(v, v.rollups(ROLLUPS)) for v in plan.task.views]
    return [
        ViewTask(
            mine, 0, view, {r.name: [f for files in report.states[r.name].values() for f in files] for r in rollups}
        )
        for view, rollups in views
        if not stands_in_buckets(view, rollups)
    ]


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
    )


def _remove_leftovers(plan: TopicPlan, report: Report) -> None:
    """Remove what an attempt at the same run has left that was cut into more parts: readers take whole folders."""
    task = plan.task
    written = report.parts | {f for buckets in report.states.values() for files in buckets.values() for f in files}
    folders = [state_folder(task.topic, task.run), *(f"{view.name}/run={task.run}" for view in task.views)]
    task.output.delete([e.path for folder in folders for e in task.output.list(f"{folder}/") if e.path not in written])
