"""The layers are rooms with one door each: what a package may import of the project, and which of its modules do."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("ingestion_layer", "batch_layer", "speed_layer", "serving_layer")
# Package: the packages of the project whose modules it may import, itself always.
DOORS = {
    "runtime": set(),
    "catalogue": {"runtime"},
    "ingestion_layer": {"catalogue", "runtime"},
    "batch_layer": {"catalogue", "runtime"},
    "speed_layer": {"catalogue", "runtime"},
    "serving_layer": {"catalogue", "runtime"},
    "deployment": {"catalogue", "runtime"},
    # It erases from what every layer keeps, by a batch run of its own, and from roster and keys.
    "deployment.persons": {"batch_layer", "serving_layer", "catalogue", "runtime", "deployment"},
    "deployment.command": {*LAYERS, "catalogue", "runtime", "deployment"},
}
# Package: what none of its modules may reach, directly or through others.
CLOSED = {
    "ingestion_layer": ("catalogue.views", "catalogue.at_rest.deltas", "catalogue.at_rest.runs"),
    "serving_layer": ("runtime.spark", "runtime.kafka_offsets", "runtime.kafka_ends", "pyspark", "kafka"),
    "catalogue.events": ("catalogue.sql", "catalogue.views", "catalogue.at_rest"),
    "catalogue.sql": ("catalogue.views", "catalogue.at_rest.deltas", "catalogue.at_rest.runs"),
    "runtime.storage": ("runtime.spark", "runtime.kafka_offsets"),
}


@cache
def imported(file: Path) -> set[str]:
    """Full names of the modules that a file imports, at its top or further down."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@cache
def modules(package: str) -> dict[str, Path]:
    """The modules of a package by their full name."""
    files = sorted((ROOT / package.replace(".", "/")).rglob("*.py"))
    return {".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


@cache
def project() -> dict[str, Path]:
    """Every module of the product."""
    return {name: file for package in DOORS if "." not in package for name, file in modules(package).items()}


@cache
def reached(module: str) -> set[str]:
    """The project's modules that importing `module` brings in, directly or through others."""
    known = project()
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for name in imported(known[waiting.pop()]) & known.keys() - found:
            found.add(name)
            waiting.append(name)
    return found


@pytest.mark.parametrize("package", DOORS)
def test_a_package_imports_only_what_its_door_leads_to(package):
    allowed = DOORS[package] | {package}
    others = {name for name in DOORS if name.startswith(f"{package}.")}  # with a door of their own, which nobody takes
    wrong = {
        f"{module} imports {name}"
        for module, file in modules(package).items()
        for name in imported(file)
        if not any(module == other or module.startswith(f"{other}.") for other in others)
        and (name.split(".")[0] in {*DOORS, "tests"} - allowed or any(name.startswith(other) for other in others))
    }
    assert not wrong


def test_every_package_has_a_door():
    packages = {f.parent.name for f in ROOT.glob("*/__init__.py")}
    assert packages - {"tests"} == {name for name in DOORS if "." not in name}


@pytest.mark.parametrize("package", CLOSED)
def test_a_door_is_closed(package):
    """Ingestion knows no views: what is landed doesn't depend on what is counted. A serving replica needs neither Spark
    nor Kafka's client, so that it is small and starts in a second.
    """
    known = project()
    wrong = {
        f"{module} reaches {name}"
        for module in modules(package)
        for inner in {module, *reached(module)}
        for name in {inner, *imported(known[inner])}
        for closed in CLOSED[package]
        if name == closed or name.startswith(f"{closed}.")
    }
    assert not wrong


def test_speed_rolls_up_but_knows_no_view_s_select():
    """What a delta holds depends on rollups alone: a view may change without a new delta."""
    wrong = {
        f"{module} imports {name}"
        for module, file in modules("speed_layer").items()
        for name in imported(file)
        if name.startswith("catalogue.views")
        and name.rpartition(".")[2] in ("VIEWS", "View", "WINDOWS", "Window", "columns")
    }
    assert not wrong


def test_documents_are_printed_and_imported_by_nobody():
    wrong = {module for module, file in project().items() if "catalogue.documents" in imported(file)}
    assert not wrong


def test_no_module_is_above_300_lines():
    long = {
        name: lines
        for package in DOORS
        for name, file in modules(package).items()
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert not long


def test_nothing_imports_in_a_circle():
    """A package's `__init__` counts as a module; what is imported for types alone counts as well."""
    known = project()
    imports = {name: (imported(file) & known.keys()) - {name} for name, file in known.items()}
    circles = []
    while imports:
        free = {name for name, needed in imports.items() if not needed & imports.keys()}
        if not free:
            circles = sorted(imports)
            break
        imports = {name: needed for name, needed in imports.items() if name not in free}
    assert not circles
