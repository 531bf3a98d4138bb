"""JSON documents in files: however they stand there, and with whatever around them."""

import json
from pathlib import Path

import pytest

from ingestion_layer.replay import files
from ingestion_layer.replay.files import Lines
from ingestion_layer.replay.json_rows import NO_OBJECT, NOT_JSON, documents

A, B, C = {"id": "a", "n": {"x": [1, {"y": "}{"}]}}, {"id": "b", "n": [{"z": 1}]}, {"id": "c"}
a, b, c = map(json.dumps, (A, B, C))
FORMS = {
    "lines": (f"{a}\n{b}\n{c}\n", [A, B, C]),
    "no end": (f"{a}\n{b}\n{c}", [A, B, C]),
    "array": (f"[{a},{b},{c}]", [A, B, C]),
    "array over lines": (f"[\n{a},\n{b},\n{c}\n]\n", [A, B, C]),
    "array begun in its first line": (f"[{a},\n{b},\n{c}]\n", [A, B, C]),
    "pretty array": (json.dumps([A, B, C], indent=1), [A, B, C]),
    "pretty documents": ("\n".join(json.dumps(d, indent=2) for d in (A, B, C)), [A, B, C]),
    "pretty, then lines": (f"{json.dumps(A, indent=2)}\n{b}\n{json.dumps(C, indent=2)}\n", [A, B, C]),
    "several in a line": (f"{a}{b} {c}\n{a}", [A, B, C, A]),
    "a result document": (
        json.dumps({"more": "", "statements": [A, B]}, indent=1), [{"more": "", "statements": [A, B]}]
    ),
    "arrays in an array": (f"[[{a}],[{b}]]", [A, B]),
    "a cut line first": (f'{{"id": "x", "na\n{a}\n{b}', [NOT_JSON, A, B]),
    "a line cut behind a colon": (f'{{"id":\n{a}\n{b}\n{c}', [NOT_JSON, A, B, C]),
    "a line cut inside": (f'{a}\n{{"id": "x", "n": {{"y"\n{b}', [A, NOT_JSON, B]),
    "a line without its beginning": (f'"x": {{"y": 1}}, "z": 2}}\n{a}', [NOT_JSON, A]),
    "a cut line and a whole one in one": (f'{{"id": "x", "na{a}\n{b}', [NOT_JSON, A, B]),
    "prefixes": (f"2026-03-02 INFO [tracking] [user None] - {a}\n[x] {{y}} {b}\n", [A, B]),
    "suffixes": (f"{a} # end\n{b};\nINFO {c} <end>\n", [A, B, C]),
    "a comment": (f"# exported\n{a}\n", [NOT_JSON, A]),
    "NULs": ("\0" * 70_000 + f'd"}}\n\0\0\n\0{a}\0\n', [NOT_JSON, A]),
    "marks": (f"\ufeff{a}\n\ufeff{b}\n", [A, B]),
    "record separators": (f"\x1e{a}\n\x1e{b}\n", [A, B]),
    "no objects": (f"5\n{a}\nnull\n[1, {b}]\n", [NO_OBJECT, A, NO_OBJECT, NO_OBJECT, B]),
    "a broken element of an array": (f'[{a}, {{"id": nonsense}}, {b}]\n{c}', [A, NOT_JSON, B, C]),
    "a broken line of an array": (f'[\n{a},\n{{"id": nonsense}},\n{b}\n]\n', [A, NOT_JSON, B]),
    "a broken end of an array": (f'[{a},{b},{{"id"', [A, B, NOT_JSON]),
    "huge numbers and halves": (
        '{"n": 1' + "0" * 400 + ', "t": "\\ud83d"}\n' + a, [{"n": float("inf"), "t": "\ufffd"}, A]
    ),
}  # fmt: skip


# A value has to fit into what is read at once.
SPLIT = [form for form in FORMS if form not in ("NULs", "huge numbers and halves")]


def found(form: str, folder: Path) -> list:
    (folder / "data").write_text(FORMS[form][0], "utf-8")
    return list(documents(Lines(folder / "data")))


@pytest.mark.parametrize("form", FORMS)
def test_documents_are_found(form, tmp_path):
    assert found(form, tmp_path) == FORMS[form][1]


@pytest.mark.parametrize("form", SPLIT)
def test_documents_are_found_in_small_chunks(form, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "CHUNK", 16)
    assert found(form, tmp_path) == FORMS[form][1]


def test_rows_of_a_document_longer_than_memory_should_hold(tmp_path, monkeypatch):
    monkeypatch.setattr("ingestion_layer.replay.json_rows.LONGEST_LINE", 2000)
    monkeypatch.setattr(files, "LONGEST_LINE", 2000)
    rows = [{"id": str(n), "text": "x" * 50} for n in range(500)]
    (tmp_path / "data").write_text(json.dumps({"sensor": "s", "data": rows, "sendTime": "t"}) + "\n" + a)
    monkeypatch.setattr(files, "CHUNK", 700)
    assert list(documents(Lines(tmp_path / "data"), ("data",))) == [*rows, A]
    (tmp_path / "data").write_text(json.dumps(rows))
    assert list(documents(Lines(tmp_path / "data"))) == rows
