"""The job files say what they compute: what the catalogue has of their topics, and nothing is left out."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from batch_layer.job import Job
from catalogue.events import JOBS, TOPICS
from catalogue.views import ROLLUPS, VIEWS


def job(name: str) -> Job:
    return importlib.import_module(f"batch_layer.jobs.{name}_batch_job").JOB


def test_every_job_has_its_file():
    folder = Path(__file__).resolve().parents[2] / "batch_layer" / "jobs"
    assert {file.name for file in folder.glob("*_batch_job.py")} == {f"{name}_batch_job.py" for name in JOBS}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_what_the_catalogue_has_of_its_topics(name):
    found = job(name)
    topics = tuple(topic.name for topic in TOPICS.values() if topic.job == name)
    assert (found.name, found.topics) == (name, topics)
    assert found.rollups == tuple(r for r in ROLLUPS.values() if r.topic in topics)
    assert found.views == tuple(v for v in VIEWS.values() if v.topic in topics)


@pytest.mark.parametrize("name", JOBS)
def test_help_prints_what_it_computes(name, capsys):
    with pytest.raises(SystemExit) as ended:
        job(name).main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and job(name).described() in said
    for view in job(name).views:
        assert f"  {view.name} by {', '.join(view.key)}: " in said
        assert all(column in said for column in view.meanings)
    assert all(f"  {rollup.name}: " in said for rollup in job(name).rollups)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_runs_alone(name, tmp_path, capsys):
    assert job(name).main([str(tmp_path / "missing"), str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("run_batch_jobs: INPUT must hold raw events; got ")
