"""The cases of replays that stand beside the checkout: small inputs, damaged, odd, or as other systems send them."""

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import pytest

from ingestion_layer import producer

CASES = Path(os.environ.get("LEARNING_CASES") or Path(__file__).resolve().parents[3] / "shared" / "cases")


def listed() -> list[dict]:
    named = CASES / "replay" / "cases.jsonl"
    return [json.loads(line) for line in named.read_text("utf-8").splitlines()] if named.exists() else []


def name_of(case: dict) -> str:
    return " ".join([case["kind"], *(case["case"] if isinstance(case["case"], list) else [case["case"]])])


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    """What says whether a case's outputs are right; it shares no code with the replays."""
    spec = importlib.util.spec_from_file_location("check_replay", CASES / "check_replay.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not CASES.exists(), reason="the cases stand beside the checkout, as in the project's own builds")
@pytest.mark.parametrize("case", listed(), ids=name_of)
def test_a_case_is_right(case, judge, tmp_path, capsys):
    faults, events, said, expect = [], [], [], case["expect"]
    for number, name in enumerate(judge._paths(case)):
        output = tmp_path / f"{number}.jsonl"
        path = CASES / "replay" / name
        status = producer.main(["--replay", str(path), "--format", case["format"], "--output", str(output)])
        assert status == expect.get("rc", 0)
        printed = capsys.readouterr()
        said.append(printed.out + "\n" + printed.err)
        assert printed.err.strip()
        faults += judge._read(output, events, case["format"] != "events")
    first, clashes = judge._distinct(events)
    assert not faults + clashes + judge._differences(expect, first, said)
