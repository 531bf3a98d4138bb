"""What the pages name exists, and what exists is named: links, files, commands, options, targets, settings, routes."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from runtime.settings import Settings
from serving_layer.application import create_app

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("runtime", "catalogue", "ingestion_layer", "batch_layer", "speed_layer", "serving_layer", "deployment")
FOLDERS = (*PACKAGES, "config", "kafka", "minio", "spark", "tests")
LONGEST_README = 60
ADR_PARTS = ("Status: ", "## Context", "## Decision", "## Consequences", "## Rejected")


@cache
def tracked() -> tuple[str, ...]:
    """Paths of the checkout's files, new ones included, ignored ones not."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return tuple(path for path in listed if path and (ROOT / path).is_file())


@cache
def pages() -> dict[str, str]:
    """Every Markdown page's text by its path."""
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in tracked() if path.endswith(".md")}


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax tree of every module of the product."""
    paths = (path for path in tracked() if path.endswith(".py") and path.split("/")[0] in PACKAGES)
    return {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in paths}


def without_code(text: str) -> str:
    """A page without its fenced blocks and quoted code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


@pytest.mark.parametrize("page", pages())
def test_relative_links_resolve(page):
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(pages()[page]))
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:", link)]
    assert not [link for link in local if link and not (ROOT / page).parent.joinpath(link).exists()]


def stands(name: str, page: str) -> bool:
    """Whether a quoted name, a pattern too, is a file or folder: from the page's folder, the root or a package."""
    places = {(ROOT / page).parent, ROOT, *(ROOT / package for package in PACKAGES)}
    return any(any(place.glob(name.rstrip("/"))) for place in places)


@pytest.mark.parametrize("page", [page for page in pages() if "README" in page or page == "CONTRIBUTING.md"])
def test_files_in_tables_exist(page):
    cells = [line.split("|")[1] for line in pages()[page].splitlines() if line.startswith("| ")]
    names = [name for cell in cells for name in re.findall(r"`([\w./*-]+)`", cell)]
    files = [
        name for name in names if "/" in name or re.search(r"\w\.(py|md|sh|ps1|ya?ml|xml|env|txt|ipynb|in)$", name)
    ]
    written_at_run_time = {"_current.json"}
    assert not [name for name in files if name not in written_at_run_time and not stands(name, page)]


@pytest.mark.parametrize("page", pages())
def test_commands_name_files_and_modules_that_exist(page):
    text = pages()[page]
    scripts = re.findall(r"(?:python|\$PYTHON|PYTHON) ((?:\w+/)*\w+\.py)", text)
    named = re.findall(r"(?:python|PYTHON) -m ((?:tests|deployment|catalogue)[\w.]*)", text)
    files = [name.rstrip(".").replace(".", "/") for name in named]
    missing = [script for script in scripts if not (ROOT / script).exists()]
    missing += [f for f in files if not (ROOT / f"{f}.py").exists() and not (ROOT / f / "__main__.py").exists()]
    tests = re.findall(r"\btests/[\w/]+(?:\.\w+)?", text)
    assert not missing + [path for path in tests if not (ROOT / path).exists()]


def test_every_target_is_documented():
    targets = re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = pages()["README.md"] + pages()["CONTRIBUTING.md"]
    assert not [target for target in targets if f"make {target}" not in text]


def test_targets_that_pages_name_exist():
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {(page, t) for page, text in pages().items() for t in re.findall(r"(?:`|    )make ([a-z][\w-]+)", text)}
    assert not {(page, target) for page, target in named if target not in targets}


def test_every_entry_is_documented():
    entries = [
        path
        for path, tree in modules().items()
        if any(isinstance(n, ast.If) and "__main__" in ast.unparse(n.test) for n in tree.body) and "/jobs/" not in path
    ]
    text = "\n".join(pages().values())
    names = {
        path: (path.removesuffix("/__main__.py").split("/")[-1], path.removesuffix(".py").replace("/", "."))
        for path in entries
    }
    assert not [path for path, (file, module) in names.items() if file not in text and module not in text]


def test_every_option_is_documented():
    text = "\n".join(pages().values())
    options = {
        (path, argument.value)
        for path, tree in modules().items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
        for argument in call.args
        if isinstance(argument, ast.Constant) and str(argument.value).startswith("--")
    }
    assert options
    assert not {(path, option) for path, option in options if not re.search(rf"{option}(?![\w-])", text)}


def test_every_setting_is_read():
    """A setting that nothing reads would be a promise that is not kept; checking its value is not reading it."""
    trees = [tree for path, tree in modules().items() if path != "runtime/settings.py"]
    methods = [n for n in ast.walk(modules()["runtime/settings.py"]) if isinstance(n, ast.FunctionDef)]
    trees += [method for method in methods if not method.name.startswith("_")]
    read = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not {name for name in Settings.__dataclass_fields__ if name not in read}


def test_every_route_is_documented(tmp_path):
    places = {name: str(tmp_path / name.lower()) for name in ("BATCH_VIEWS", "SPEED_VIEWS")}
    routes = create_app(Settings.load(places)).openapi()["paths"]
    page = pages()["docs/query-api.md"]
    assert not [route for route in routes if route not in page]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_has_a_readme(folder):
    readme = pages()[f"{folder}/README.md"]
    assert readme.startswith("# ") and 5 <= len(readme.splitlines()) <= LONGEST_README


def test_every_folder_of_tests_is_described():
    folders = {path.split("/")[1] for path in tracked() if re.match(r"tests/\w+/", path)}
    assert not [folder for folder in folders if f"`{folder}/`" not in pages()["tests/README.md"]]


def test_decisions_are_numbered_and_listed():
    names = sorted(path.split("/")[-1] for path in pages() if re.match(r"docs/adr/\d", path))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for name in names:
        text = pages()[f"docs/adr/{name}"]
        assert f"]({name})" in pages()["docs/adr/README.md"], name
        assert text.startswith(f"# {name[:4]} ") and all(part in text for part in ADR_PARTS), name


def test_every_page_is_reachable():
    """From the README, by links or by a quoted path."""
    found, waiting = {"README.md"}, ["README.md"]
    while waiting:
        page = waiting.pop()
        text = pages()[page]
        near = {
            str((ROOT / page).parent.joinpath(t.split("#")[0]).resolve()) for t in re.findall(r"\]\(([^)\s]+)\)", text)
        }
        for other in pages().keys() - found:
            folder = other.removesuffix("README.md")
            named = f"`{other}`" in text or (folder != other and f"`{folder}`" in text)
            if named or str(ROOT / other) in near:
                found.add(other)
                waiting.append(other)
    assert not pages().keys() - found
