"""A stale file is named and left as it is; one that is missing too."""

from __future__ import annotations

import subprocess

import pytest

from deployment.gate.derived_files import PRINTERS, stale

PRINTER = "open('page.md', 'w').write('fresh')\n"


@pytest.fixture
def checkout(tmp_path):
    """A project of which one printer writes a page."""
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for name in PRINTERS:
        file = tmp_path / f"{name.replace('.', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        for folder in {file.parent, tmp_path / name.split(".")[0]}:
            (folder / "__init__.py").touch()  # or the installed packages of these names would be taken
        file.write_text("")
    (tmp_path / f"{PRINTERS[0].replace('.', '/')}.py").write_text(PRINTER)
    return tmp_path


def test_a_fresh_page_is_fine(checkout):
    (checkout / "page.md").write_text("fresh")
    assert stale(checkout) == []


def test_a_stale_page_is_named_and_stays(checkout):
    (checkout / "page.md").write_text("old")
    assert stale(checkout) == ["page.md"]
    assert (checkout / "page.md").read_text() == "old"


def test_a_missing_page_is_named_and_stays_missing(checkout):
    assert stale(checkout) == ["page.md"]
    assert not (checkout / "page.md").exists()


def test_a_printer_that_fails_is_told(checkout):
    (checkout / "deployment" / "command" / "reference.py").write_text("raise SystemExit(3)")
    with pytest.raises(RuntimeError, match="every printer must succeed; got exit status 3"):
        stale(checkout)
