"""The layers are rooms with one door each: what a package may import of the project, and which of its modules do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Package: the packages of the project whose modules it may import, itself always.
DOORS = {
    "catalogue": set(),
    "ingestion_layer": {"catalogue"},
    "batch_layer": {"catalogue"},
    "speed_layer": {"catalogue"},
    "serving_layer": {"catalogue"},
    "deployment": {"catalogue"},
}
# Ingestion knows events, never views: what is landed does not depend on what is counted.
CLOSED = {"ingestion_layer": ("catalogue.views", "catalogue.rollups", "catalogue.realtime", "catalogue.deltas")}


def imported(file: Path) -> set[str]:
    """Full names of the modules that a file imports, at its top or further down."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def modules(package: str) -> dict[str, Path]:
    """The modules of a package by their full name."""
    files = sorted((ROOT / package).rglob("*.py"))
    return {".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


def reached(module: str) -> set[str]:
    """The project's modules that importing `module` brings in, directly or through others."""
    known = {name: file for package in DOORS for name, file in modules(package).items()}
    found, waiting = set(), [module]
    while waiting:
        for name in imported(known[waiting.pop()]) & known.keys() - found:
            found.add(name)
            waiting.append(name)
    return found


@pytest.mark.parametrize("package", DOORS)
def test_a_package_imports_only_what_its_door_leads_to(package):
    allowed = DOORS[package] | {package}
    wrong = {
        f"{module} imports {name}"
        for module, file in modules(package).items()
        for name in imported(file)
        if name.split(".")[0] in {*DOORS, "tests"} - allowed
    }
    assert not wrong


def test_every_package_has_a_door():
    packages = {f.parent.name for f in ROOT.glob("*/__init__.py")}
    assert packages - {"tests"} == set(DOORS)


@pytest.mark.parametrize("package", CLOSED)
def test_ingestion_knows_nothing_of_views(package):
    wrong = {module: reached(module) & set(CLOSED[package]) for module in modules(package)}
    assert not {module: names for module, names in wrong.items() if names}


def test_serving_needs_neither_spark_nor_kafka():
    """So that a replica is small and starts in a second."""
    known = {name: file for package in DOORS for name, file in modules(package).items()}
    wrong = {
        f"{name} imports {other}"
        for module in modules("serving_layer")
        for name in {module, *reached(module)}
        for other in imported(known[name])
        if other.split(".")[0] in ("pyspark", "kafka")
    }
    assert not wrong


def test_no_module_is_above_300_lines():
    long = {
        name: lines
        for package in DOORS
        for name, file in modules(package).items()
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long
