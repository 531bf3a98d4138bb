"""The notebook runs from top to bottom, and is kept without outputs."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from catalogue.events import TOPICS

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "generate_fake_data.ipynb"


@pytest.fixture(scope="module")
def executed():
    """The notebook with the outputs of a run."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    return notebook


def printed(notebook) -> str:
    """All text that its cells put out."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


def test_it_is_kept_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]


def test_it_shows_every_category_and_an_equal_view(executed):
    text = printed(executed)
    assert all(topic in text for topic in TOPICS)
    messages, events = map(int, re.search(r"(\d+) messages: (\d+) events", text).groups())
    assert messages > events == 20_000
    assert re.search(r"\d+ rows, equal; ledger .'0': .'landed'", text)
