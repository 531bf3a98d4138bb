"""Bills of materials name what is pinned, and an audit that asked nobody never looks like a clean one."""

from __future__ import annotations

import json
import re
from subprocess import CompletedProcess

import pytest

from deployment.gate import supply_chain
from deployment.gate.supply_chain import REQUIREMENTS, SBOMS, SOURCES, UNCHECKED, main


def test_the_bills_name_every_pinned_package(tmp_path, monkeypatch, capsys):
    assert main(["sbom"]) == 0
    told = json.loads(SBOMS["python"].read_text())
    assert told["bomFormat"] == "CycloneDX"
    pinned = re.findall(r"^([\w.-]+?)(?:\[[\w,]+\])?==([\w.]+)", REQUIREMENTS.read_text(), re.MULTILINE)
    assert len(pinned) > 30 and {(c["name"], c["version"]) for c in told["components"]} == set(pinned)
    told = json.loads(SBOMS["npm"].read_text())
    locked = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    names = {path.rpartition("node_modules/")[2] for path, entry in locked.items() if path and not entry.get("peer")}
    assert names <= {(f"{c['group']}/" if c.get("group") else "") + c["name"] for c in told["components"]}
    assert "components" in capsys.readouterr().out


FOUND = {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1"}]}, {"name": "b", "version": "2"}]}
SKIPPED = {"dependencies": [{"name": "a", "skip_reason": "not known"}]}


@pytest.mark.parametrize(
    ("python", "npm", "status"),
    [
        (json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}), '{"vulnerabilities": {}}', 0),
        (json.dumps(FOUND), '{"vulnerabilities": {}}', 1),
        (json.dumps({"dependencies": []}), '{"vulnerabilities": {"x": {"severity": "high"}}}', 1),
        (json.dumps(SKIPPED), '{"vulnerabilities": {}}', UNCHECKED),
        ("", '{"vulnerabilities": {}}', UNCHECKED),
        (json.dumps({"dependencies": []}), '{"message": "the endpoint is away"}', UNCHECKED),
        (json.dumps(FOUND), "", UNCHECKED),
    ],
)
def test_what_an_audit_says(monkeypatch, capsys, python, npm, status):
    answers = iter((python, npm))
    monkeypatch.setattr(supply_chain, "_run", lambda *_: CompletedProcess([], 0, next(answers), "no answer"))
    assert main(["audit"]) == status
    told = capsys.readouterr()
    assert ("X-1" in told.out) == ("X-1" in python)
    assert ("no advisory source answers" in told.err) == (status == UNCHECKED)


def test_other_words_are_refused(capsys):
    assert main([]) == 2 and "must be sbom or audit" in capsys.readouterr().err
