"""Every error of the product's own is a PlatformError, so that its doors can tell errors from faults of the code."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

from runtime.errors import PlatformError
from tests.structure.test_rooms import project

# Exceptions that are no errors of the platform, and why.
OTHERS = {
    "deployment.command.printing.CommandProblem": "click's, which prints its message and exits with its status",
    "deployment.command.printing.WrongUse": "the same",
    "ingestion_layer.delivery.Stop": "no error: the user wants to end, whatever is going on",
    "ingestion_layer.replay.json_rows._Broken": "never leaves its module: at this place no JSON begins",
    "runtime.storage.s3._Astray": "never leaves its module: what botocore is told is told as a StorageError",
}


def derives(file: Path) -> bool:
    """Whether a module has a class with a base, at its top or further down."""
    return any(isinstance(node, ast.ClassDef) and node.bases for node in ast.walk(ast.parse(file.read_text("utf-8"))))


def exceptions(module: str) -> dict[str, type[BaseException]]:
    """The exception classes that a module defines, by their full name."""
    return {
        f"{module}.{name}": found
        for name, found in vars(importlib.import_module(module)).items()
        if isinstance(found, type) and issubclass(found, BaseException) and found.__module__ == module
    }


def test_every_exception_of_the_product_is_a_platform_error_or_has_a_reason():
    found = {
        name: kind for module, file in project().items() if derives(file) for name, kind in exceptions(module).items()
    }
    assert {name for name, kind in found.items() if not issubclass(kind, PlatformError)} == OTHERS.keys()
