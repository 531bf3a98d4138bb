"""The scripts that deploy: without faults, alike in both shells, and clear about bad options."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from catalogue.settings import cache_folder
from deployment.packages import need
from tests.kubernetes.conftest import FOLDER, ROOT

BATCH = ROOT / "batch_layer"
GRAMMAR = ("tree-sitter==0.26.1", "tree-sitter-powershell==0.26.4")
PARSER = """
import sys, tree_sitter, tree_sitter_powershell
parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
print(parser.parse(open(sys.argv[1], "rb").read()).root_node.has_error)
"""
POWER = sorted([*(ROOT / "deployment").glob("*.ps1"), *BATCH.glob("*.ps1")])


def test_shellcheck_finds_nothing():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.sh"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    scripts = [path for path in listed if (ROOT / path).exists()]
    assert {"deployment/images/coordinator.sh", "batch_layer/deploy_oozie.sh"} <= set(scripts)
    subprocess.run([need("shellcheck", "shellcheck"), *scripts], cwd=ROOT, check=True, timeout=60)


@pytest.fixture(scope="session")
def grammar() -> Path:
    """A folder with PowerShell's grammar, fetched once per machine."""
    folder = cache_folder() / "powershell-grammar"
    if not (folder / "tree_sitter_powershell").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(folder)]
        subprocess.run([*command, *GRAMMAR], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("file", POWER, ids=lambda path: path.stem)
def test_powershell_can_be_parsed(grammar, file, tmp_path):
    bad = tmp_path / "bad.ps1"
    bad.write_text(file.read_text().replace("param(", "param(("))
    for script, faults in ((file, "False"), (bad, "True")):
        command = [sys.executable, "-c", PARSER, str(script)]
        done = subprocess.run(command, env={"PYTHONPATH": str(grammar)}, capture_output=True, text=True, timeout=60)
        assert done.stdout.strip() == faults, done.stderr


@pytest.mark.parametrize("name", ["deploy_minikube", "cleanup_minikube"])
def test_both_shells_do_the_same(name):
    shell, power = ((ROOT / "deployment" / f"{name}.{end}").read_text() for end in ("sh", "ps1"))
    shell += (FOLDER / "secrets.sh").read_text() if name == "deploy_minikube" else ""
    words = [
        set(re.findall(r"[\w./-]*(?:deployment|statefulset|job|namespace|kafka)[\w./,-]*", t)) for t in (shell, power)
    ]
    manifests = [{w for w in found if "/" in w and not w.endswith((".sh", ".ps1", "/"))} for found in words]
    assert manifests[0] == manifests[1]
    kinds = [{w for w in found if "," in w} for found in words]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    ("script", "options", "expected"),
    [
        ("deploy_minikube", ["fly"], "options must be of small, local, minikube, --no-start, --events N; got 'fly'"),
        ("deploy_minikube", ["--events", "many"], "--events must be a whole number; got 'many'"),
        ("cleanup_minikube", ["--all"], "options must be of --data, --cluster; got '--all'"),
    ],
)
def test_a_bad_option_is_named(script, options, expected):
    command = [str(ROOT / "deployment" / f"{script}.sh"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (2, f"{script}: {expected}\n")
