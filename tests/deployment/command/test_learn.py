"""The command as people meet it: its help, what it refuses and how, how fast it is there, and the shell's
completion.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from deployment.command.learn import COMMANDS, SHELLS, learn, main
from deployment.command.reference import PAGE, page
from deployment.command.scripts import followed, served
from tests.laws.test_merged import Platform
from tests.oracle.histories import history

LEARN = Path(sys.executable).with_name("learn")
PROMISED = (
    *("up", "down", "status", "demo", "produce", "ingest", "batch", "speed", "serve"),
    *("views", "query", "freshness", "runs", "republish"),
)


def ran(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The installed command as a process."""
    return subprocess.run(
        [LEARN, *arguments], env=os.environ | environ, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_page_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == page(), "stale: run `make docs`"


def test_it_does_what_was_promised():
    assert set(PROMISED) <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_and_options(name, capsys):
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert (
        told.startswith(f"Usage: learn {name} ")
        and f"Examples:\n    {'eval' if name == 'completion' else 'learn'} " in told
    )
    assert "--json" in told or name == "completion"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nothing", "learn: No such command 'nothing'"),
        ("query", "learn query: Missing argument 'VIEW'"),
        ("query v x", "learn: a filter must be COLUMN=VALUE or COLUMN__gte=VALUE; got 'x'"),
        ("query v --limit 0", "learn query: Invalid value for '--limit'"),
        ("query v --layer middle", "learn query: Invalid value for '--layer'"),
        ("query v --format parquet --all --output f", "learn: --all must go with table, json, csv; got parquet"),
        ("views --wrong", "learn views: No such option '--wrong'"),
        ("produce --events none", "learn produce: argument --events: "),
        ("produce --rate 5 --replay x", "learn produce: "),
        ("ingest --to raw", "learn ingest: --to, --quarantine and --arrival need --from FILE"),
        ("serve --wrong", "learn serve: unrecognized arguments: --wrong"),
        ("produce --json --output -", "learn produce: --json and '--output -' must not be given together"),
        ("batch one-place", "learn batch: INPUT and OUTPUT are needed"),
        ("speed --wrong", "learn speed: unrecognized arguments: --wrong"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(line, told, capfd):
    assert main(line.split()) == 2
    found = capfd.readouterr()
    assert found.err.startswith(told) and found.err.count("\n") == 1 and not found.out


def test_a_script_by_path_complains_as_itself():
    done = subprocess.run(
        [sys.executable, "-m", "batch_layer.run_batch_jobs", "one-place"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "run_batch_jobs: INPUT and OUTPUT are needed\n")


def test_programs_are_told_what_was_sent(tmp_path):
    options = ("--events", "300", "--seed", "3", "--duplicates", "0.1", "--invalid", "0.1")
    told = json.loads(ran("produce", *options, "--output", str(tmp_path / "events.jsonl"), "--json").stdout)
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert (told["command"], told["status"], told["sent"]) == ("produce", 0, len(lines))
    assert sum(told["topics"].values()) == len(lines) and told["duplicates"] > 0 < sum(told["invalid"].values())


def test_programs_are_told_where_the_deltas_end(tmp_path, monkeypatch):
    platform = Platform(tmp_path, history(5, 300), 5)
    platform.micro_batch(0.5)
    monkeypatch.setenv("BATCH_VIEWS", platform.settings.batch_views)
    monkeypatch.setenv("SPEED_VIEWS", platform.settings.speed_views)
    assert followed([]) == {"to": platform.settings.speed_views, "head": platform.speed.head, "deltas": 1}
    platform.run_batch(at_boundary=True)
    told = served(["--port", "8123"])
    assert told["address"] == "http://127.0.0.1:8123" and told["run"] == "r001"


def on_a_terminal(*arguments: str) -> str:
    """What the installed command writes to a terminal as its standard error."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([LEARN, *arguments], stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        told = b""
        with suppress(OSError):  # Linux's way to say that nobody has the terminal any more
            while part := os.read(ours, 4096):
                told += part
    os.close(ours)
    assert process.returncode == 0, told
    return told.decode()


def test_a_terminal_shows_the_step_that_goes_on_and_nothing_else_does(tmp_path):
    events = tmp_path / "events.jsonl"
    ran("produce", "--events", "50", "--start", "2026-03-01", "--end", "2026-03-02", "--output", str(events))
    landing = ("ingest", "--from", str(events), "--to", str(tmp_path / "raw"))
    assert "landing events.jsonl" in on_a_terminal(*landing)
    assert "landing events.jsonl" not in ran(*landing).stderr
    assert "landing events.jsonl" not in on_a_terminal(*landing, "--json")
    computing = ("batch", str(tmp_path / "raw"), str(tmp_path / "views"))
    shown = on_a_terminal(*computing)
    assert "computing the views of" in shown and "100 %" in shown
    assert "computing" not in ran(*computing, "--full").stderr


def test_a_server_that_is_away_is_one_line_and_status_1():
    done = ran("views", API_ADDRESS="http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("learn: the query API must answer at http://127.0.0.1:1 (setting API_ADDRESS); got ")
    assert done.stderr.count("\n") == 1


def test_a_setting_that_is_wrong_is_one_line_and_status_1():
    done = ran("freshness", API_ADDRESS="127.0.0.1")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("learn: setting API_ADDRESS: must start with http:// or https://")


def test_asking_brings_in_no_engine():
    """What makes the layers heavy isn't loaded to ask or to help."""
    code = """
import sys
from deployment.command.learn import main
main(["views"]), main(["query", "v"]), main(["--help"])
print([name for name in ("pyspark", "duckdb", "pyarrow", "kafka", "boto3", "pandas", "fastapi") if name in sys.modules])
"""
    environ = os.environ | {"API_ADDRESS": "http://127.0.0.1:1"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.parametrize(
    ("words", "wanted"), [("learn que", "query"), ("learn query video_t", "video_total_watch_time")]
)
def test_the_shell_completes(words, wanted):
    given = {"_LEARN_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    assert wanted in [line.partition(",")[2] for line in ran(**given).stdout.splitlines()]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_s_script_calls_the_command(shell):
    done = ran("completion", shell)
    assert done.returncode == 0 and f"_LEARN_COMPLETE={shell}_complete" in done.stdout


def test_the_version_is_the_project_s():
    assert ran("--version").stdout == "learn, version 1.0.0\n"


def test_every_command_is_a_command():
    assert learn.list_commands(None) == list(COMMANDS)
