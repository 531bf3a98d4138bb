"""A strict reader of JSON (RFC 8259) of any depth: a number keeps its digits, and of equal names the first counts."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(
    r"[ \t\n\r]*(?:(?P<mark>[{}\[\]:,])"
    r'|(?P<string>"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
    r"|(?P<word>true|false|null))"
)
_WORDS = {"true": True, "false": False, "null": None}


class Number(str):
    """A JSON number as it was written."""


def _string(token: str) -> str:
    text: str = json.loads(token)
    text.encode()  # a lone surrogate is no text: UnicodeEncodeError, a ValueError
    return text


def read_json(text: str) -> object:
    """The value that `text` writes; ValueError when it is no JSON. Numbers come as `Number`."""
    stack: list[list | dict] = []
    names: list[str] = []
    result: object = None
    state, at = "value", 0

    def put(value: object) -> str:
        nonlocal result
        if not stack:
            result = value
        elif isinstance(stack[-1], dict):
            stack[-1].setdefault(names.pop(), value)
        else:
            stack[-1].append(value)
        return "after"

    while not (state == "after" and not stack):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"no JSON at character {at}")
        at, kind = token.end(), str(token.lastgroup)
        lexeme = token[kind]
        if kind == "mark" and lexeme in "}]":
            opened = "{" if lexeme == "}" else "["
            fits = state == "after" or state == "first " + opened
            if not (stack and fits and isinstance(stack[-1], dict) == (opened == "{")):
                raise ValueError(f"{lexeme} at character {at}")
            state = put(stack.pop())
        elif state in ("name", "first {") and kind == "string":
            names.append(_string(lexeme))
            state = "colon"
        elif state == "colon" and lexeme == ":" and kind == "mark":
            state = "value"
        elif state == "after" and lexeme == "," and kind == "mark":
            state = "name" if isinstance(stack[-1], dict) else "value"
        elif state in ("value", "first [") and kind == "mark" and lexeme in "{[":
            stack.append({} if lexeme == "{" else [])
            state = "first " + lexeme
        elif state in ("value", "first [") and kind == "string":
            state = put(_string(lexeme))
        elif state in ("value", "first [") and kind == "number":
            state = put(Number(lexeme))
        elif state in ("value", "first [") and kind == "word":
            state = put(_WORDS[lexeme])
        else:
            raise ValueError(f"{lexeme[:20]} at character {at}")
    if text[at:].strip(" \t\n\r"):
        raise ValueError(f"more after the value at character {at}")
    return result
