"""The oracle's own reader of JSON: it takes what the standard allows, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.json_text import Number, read_json


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)))
def test_reads_what_json_dumps_writes(value):
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value, ensure_ascii=False, indent=1)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{,}",
        "[1,]",
        '{"a":1,}',
        "NaN",
        "01",
        "1.",
        ".5",
        "+1",
        '"\t"',
        '"\\ud800"',
        "1 2",
        "[}",
        "]",
    ],
)
def test_refuses_what_is_no_json(text):
    with pytest.raises(ValueError):
        read_json(text)


def test_depth_and_digits_have_no_limit():
    assert read_json("[" * 200_000 + "]" * 200_000) is not None
    assert read_json("1" * 10_000) == Number("1" * 10_000)
