"""The files for Oozie, without a server: valid by its own XSDs, complete, and in step with the settings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogue.events import JOBS
from deployment.installation import CONFIG, StackError
from deployment.oozie.assembly import oozie_home
from deployment.oozie.configuration import DECLARED, properties
from deployment.oozie.server import PORTS
from runtime.settings import Settings

BATCH = CONFIG.parent / "batch_layer"
WORKFLOW, COORDINATOR = (BATCH / "oozie" / f"{name}.xml" for name in ("workflow", "coordinator"))
NAMES = {"w": "uri:oozie:workflow:1.0", "s": "uri:oozie:shell-action:1.0", "c": "uri:oozie:coordinator:0.5"}
# What drops old events after the run: what it calls, and what comes next.
KEPT = {"retention": (["retention"], "end")}
# Java's own validator, as the server's: files to check, then the schemas.
VALIDATOR = """
import java.io.File;
import java.util.Arrays;
import javax.xml.transform.Source;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.SchemaFactory;

class Validator {
    public static void main(String[] args) throws Exception {
        Source[] schemas = Arrays.stream(args).skip(1).map(a -> new StreamSource(new File(a))).toArray(Source[]::new);
        SchemaFactory factory = SchemaFactory.newInstance("http://www.w3.org/2001/XMLSchema");
        factory.newSchema(schemas).newValidator().validate(new StreamSource(new File(args[0])));
    }
}
"""
SCHEMAS = {
    WORKFLOW: ("oozie-common-1.0", "oozie-workflow-1.0", "shell-action-1.0"),
    COORDINATOR: ("oozie-coordinator-0.5", "oozie-sla-0.2"),
}


def validate(file: Path, schemas: tuple[str, ...], folder: Path) -> str:
    """What is wrong with a file; empty where nothing is."""
    source = folder / "Validator.java"
    source.write_text(VALIDATOR)
    paths = [str(oozie_home() / "xsd" / f"{name}.xsd") for name in schemas]
    done = subprocess.run(["java", str(source), str(file), *paths], capture_output=True, text=True, timeout=120)
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize("file", [WORKFLOW, COORDINATOR], ids=lambda path: path.stem)
def test_valid_by_oozies_schemas(file, tmp_path):
    assert validate(file, SCHEMAS[file], tmp_path) == ""
    bad = tmp_path / file.name
    bad.write_text(file.read_text().replace("<action", "<acton").replace("</action", "</acton"))
    assert "acton" in validate(bad, SCHEMAS[file], tmp_path)


def test_the_workflow_runs_every_job_and_then_publishes():
    root = ElementTree.parse(WORKFLOW).getroot()
    paths = [path.get("start") for path in root.findall("w:fork/w:path", NAMES)]
    assert sorted(paths) == sorted(JOBS)
    actions = {action.get("name"): action for action in root.findall("w:action", NAMES)}
    assert set(actions) == {*JOBS, "publish", *KEPT}
    for name in (*JOBS, "publish"):
        action = actions[name]
        words = [argument.text for argument in action.findall("s:shell/s:argument", NAMES)]
        script = "run_batch_jobs.py" if name == "publish" else f"jobs/{name}_batch_job.py"
        step = "publish" if name == "publish" else "stage"
        assert words[-4:] == [
            f"project/batch_layer/{script}",
            "${input}",
            "${output}",
            f"--{step}=${{wf:id()}}",
        ]
        assert (BATCH / script).exists()
        assert int(action.get("retry-max")) > 0
        assert action.find("w:ok", NAMES).get("to") == ("whether" if name == "publish" else "staged")
        assert action.find("w:error", NAMES).get("to") == "failed"
    assert root.find("w:join", NAMES).get("to") == "publish"


def test_what_is_too_old_goes_once_the_views_are_published():
    root = ElementTree.parse(WORKFLOW).getroot()
    cases = root.find("w:decision[@name='whether']/w:switch", NAMES)
    assert cases.find("w:default", NAMES).get("to") == "retention"
    assert [(case.get("to"), case.text) for case in cases.findall("w:case", NAMES)] == [("end", '${retention eq "no"}')]
    for name, (words, following) in KEPT.items():
        action = root.find(f"w:action[@name='{name}']", NAMES)
        told = [argument.text for argument in action.findall("s:shell/s:argument", NAMES)]
        assert told[told.index("-m") :] == ["-m", "deployment.command", *words]
        assert int(action.get("retry-max")) > 0
        assert action.find("w:ok", NAMES).get("to") == following
        assert action.find("w:error", NAMES).get("to") == "kept", "it must not be said that nothing was published"
    places = {e.text for e in root.findall("w:action[@name='retention']/s:shell/s:env-var", NAMES)}
    assert {"MASTER_DATASET=${input}", "BATCH_VIEWS=${output}"} <= places, "it drops where the run has read and written"


def test_runs_never_overlap():
    controls = ElementTree.parse(COORDINATOR).getroot().find("c:controls", NAMES)
    assert controls.findtext("c:concurrency", namespaces=NAMES) == "1"


def test_every_name_has_a_value():
    values = dict(re.findall(r"^([\w.]+)=(.*)$", (BATCH / "oozie" / "job.properties").read_text(), re.M))
    given = {*values, "user.name", "startTime", "endTime"}
    for text in (WORKFLOW.read_text(), COORDINATOR.read_text(), *values.values()):
        assert set(re.findall(r"\$\{([A-Za-z.]+)\}", text)) <= given
    settings = Settings.load({})
    assert (values["input"], values["output"]) == (settings.master_dataset, settings.batch_views)
    assert values["nameNode"] == f"hdfs://localhost:{PORTS['namenode']}"
    assert values["resourceManager"] == f"localhost:{PORTS['resourcemanager']}"


def test_hadoop_env_is_read_to_the_letter():
    values = {name: str(port) for name, port in PORTS.items()}
    values |= dict.fromkeys(
        ("host", "bind", "user", "home", "conf", "data", "logs", "jars", "settings", "retries"), "x"
    )
    found = properties(DECLARED.read_text(), values)
    assert found["core-site"]["fs.defaultFS"] == "hdfs://x:8020"
    assert found["core-site"]["hadoop.proxyuser.x.hosts"] == "*"
    with pytest.raises(StackError, match=r"hadoop.env line 1: must be FILE.XML_property=value; got 'nonsense'"):
        properties("nonsense", values)
    with pytest.raises(StackError, match=r"hadoop.env line 1: must hold only known .*; got 'nobody'"):
        properties("CORE-SITE.XML_a=${nobody}", values)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["fly"], "COMMAND must be one of those above; got 'fly'"),
        (["run", "x"], "options must be -Dname=value; got 'x'"),
    ],
)
def test_the_script_names_what_is_wrong(arguments, expected):
    done = subprocess.run([str(BATCH / "deploy_oozie.sh"), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.endswith(f"deploy_oozie: {expected}\n")


def test_both_scripts_know_the_same_commands():
    shell = (BATCH / "deploy_oozie.sh").read_text()
    power = (BATCH / "deploy_oozie.ps1").read_text()
    commands = re.findall(r"^  ([a-z]+)  ", shell, re.M)
    assert commands == re.findall(r"^  ([a-z]+)  ", power, re.M)
    assert len(commands) == 8


def test_both_scripts_know_the_same_states():
    shell = (BATCH / "deploy_oozie.sh").read_text()
    said = re.search(r"for state in (.*); do", shell)[1]
    states = subprocess.run(["bash", "-c", f"echo {said}"], capture_output=True, text=True, check=True).stdout.split()
    power = re.search(r"foreach \(\$State in ([^)]*)\)", (BATCH / "deploy_oozie.ps1").read_text())[1]
    assert states == re.findall(r'"(\w+)"', power)
    assert {"PREP", "RUNNING", "SUSPENDED", "PAUSED", "PREPSUSPENDED"} <= set(states)


@pytest.fixture
def called(tmp_path, monkeypatch) -> Callable[..., tuple[subprocess.CompletedProcess, str]]:
    """Runs a command of the script with an `oozie` that knows one coordinator and an `hdfs`, of which one call fails.

    Gives what it ended with, and the calls.
    """
    for name in ("oozie", "hdfs"):
        tool = tmp_path / name
        tool.write_text(
            f'#!/usr/bin/env bash\necho "{name} $*" >> "$CALLS"\n[[ "{name} $*" != $FAILS* ]] || exit 1\n'
            '[[ $1 != jobs ]] || echo "0000001-1-oozie-C learning-analytics-daily"\n'
            '[[ $* != *-run ]] || echo "job: 7"\n'
        )
        tool.chmod(0o755)
    calls = tmp_path / "calls"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(calls))

    def call(command: str, fails: str = "nothing") -> tuple[subprocess.CompletedProcess, str]:
        calls.write_text("")
        monkeypatch.setenv("FAILS", fails)
        script = [str(BATCH / "deploy_oozie.sh"), command]
        return subprocess.run(script, capture_output=True, text=True, timeout=60), calls.read_text()

    return call


def test_a_coordinator_that_is_there_stays_the_only_one(called):
    done, calls = called("start")
    assert (done.returncode, "-run" in calls) == (1, False)
    assert "no daily coordinator may be there; 0000001-1-oozie-C is: use replace" in done.stderr
    done, calls = called("ensure")
    assert (done.returncode, done.stdout, "-run" in calls) == (
        0,
        "the daily coordinator is there: 0000001-1-oozie-C\n",
        False,
    )


@pytest.mark.parametrize("command", ["start", "ensure", "replace", "kill"])
def test_nothing_is_started_where_the_coordinators_cant_be_listed(called, command):
    done, calls = called(command, fails="oozie jobs")
    assert (done.returncode, "-run" in calls, "-kill" in calls) == (1, False, False)
    assert "deploy_oozie: Oozie must list its coordinators" in done.stderr


@pytest.mark.parametrize("fails", ["oozie validate", "hdfs dfs -mkdir", "hdfs dfs -put"])
def test_replace_kills_nothing_before_the_new_files_are_there(called, fails):
    done, calls = called("replace", fails=fails)
    assert (done.returncode, "-kill" in calls) == (1, False)
    done, calls = called("replace")
    order = [re.search(f"{word}.*", calls).start() for word in ("validate", "-put", "-kill", "-run")]
    assert (done.returncode, done.stdout) == (0, "7\n") and order == sorted(order)


def test_an_action_runs_the_code_that_was_uploaded():
    """The node's own Python may have another version of the project installed, or none."""
    text = (BATCH / "oozie" / "workflow.xml").read_text()
    actions = re.findall(r"<shell.*?</shell>", text, re.DOTALL)
    assert len(actions) == len(JOBS) + 1 + len(KEPT)
    assert all("<env-var>PYTHONPATH=project</env-var>" in action and "#project" in action for action in actions)


def test_the_code_that_is_uploaded_is_complete(tmp_path):
    parts = re.search(r"parts=\((.*)\)", (BATCH / "deploy_oozie.sh").read_text())[1].split()
    assert f'"-C" $Root {" ".join(parts)}\n' in (BATCH / "deploy_oozie.ps1").read_text()
    left = shutil.ignore_patterns("dashboard", "__pycache__")
    for part in parts:
        source, target = BATCH.parent / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=left if part == "serving_layer" else None)
        else:
            shutil.copy2(source, target)
    for script in ("run_batch_jobs.py", *(f"jobs/{job}_batch_job.py" for job in JOBS)):
        command = [sys.executable, str(tmp_path / "batch_layer" / script), "--help"]
        environ = os.environ | {"PYTHONPATH": str(tmp_path)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    places = ("MASTER_DATASET", "QUARANTINE", "BATCH_VIEWS", "SPEED_VIEWS", "IDENTITY", "DISCLOSURE_LOG")
    environ = os.environ | {name: str(tmp_path / "kept" / name) for name in places} | {"PYTHONPATH": str(tmp_path)}
    for words, _ in KEPT.values():
        command = [sys.executable, "-m", "deployment.command", *words, "--json"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
