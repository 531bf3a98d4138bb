"""What a view's SELECT says of itself, read from its text without a database: columns, tables, what it groups by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_SAID = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
# A comment, a keyword or a mark that the outline depends on; what lies between is taken as it is.
_OUTLINE = re.compile(
    r"--(?P<comment>[^\n]*)|'(?:[^']|'')*'|(?P<mark>[(),])"
    r"|\b(?P<word>SELECT|FROM|JOIN|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT)\b",
    re.IGNORECASE,
)
_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)\b(?!\s*\()", re.IGNORECASE)
_COMMON = re.compile(r"(\w+)\s+AS\s+(?:MATERIALIZED\s+)?\(", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """A column of a SELECT: what it computes, its name, and the comment behind it ('' where there is none)."""

    expression: str
    name: str
    meaning: str


@dataclass(frozen=True)
class Select:
    """The outermost SELECT: its columns in order and the expressions that it groups by.

    `tables` are the names behind FROM and JOIN anywhere in the text, `common` those that WITH declares.
    """

    columns: tuple[Column, ...]
    grouped: tuple[str, ...]
    tables: tuple[str, ...]
    common: tuple[str, ...]


def _column(code: str, said: list[str]) -> Column:
    text = " ".join(code.split())
    expression, named, alias = text.rpartition(" AS ")
    name = re.fullmatch(r"[^\W\d]\w*" if named else r"(?:\w+\.)?([^\W\d]\w*)", alias)
    return Column(expression or text, name[name.re.groups] if name else "", " ".join(said))


@cache
def words(sql: str) -> tuple[str, ...]:
    """Identifiers and keywords of an SQL text, without comments, texts and numbers."""
    return tuple(re.findall(r"\b[^\W\d]\w*", _SAID.sub(" ", sql)))


def _outermost(sql: str) -> dict[str, list[tuple[str, list[str]]]]:
    """The clauses of the outermost SELECT by their keyword: their parts between commas, each with its comments."""
    clauses: dict[str, list[tuple[str, list[str]]]] = {}
    parts: list[tuple[str, list[str]]] = [("", [])]
    depth, at = 0, 0
    for match in _OUTLINE.finditer(sql):
        kept = sql[at : match.end()]
        word, mark, comment = match["word"], match["mark"], match["comment"]
        at = match.end()
        depth += (mark == "(") - (mark == ")")
        if depth == 0 and (mark == "," or word) or comment is not None:
            kept = kept[: -len(match[0])]
        parts[-1] = (parts[-1][0] + kept, parts[-1][1])
        if comment is not None:
            # Behind the comma that ends a column its comment still belongs to it.
            place = -2 if not parts[-1][0].strip() and len(parts) > 1 else -1
            parts[place][1].append(comment.strip())
        elif depth == 0 and mark == ",":
            parts.append(("", []))
        elif depth == 0 and word and word.upper() != "JOIN":
            parts = [("", [])]
            clauses[word.upper()] = parts
    parts[-1] = (parts[-1][0] + sql[at:], parts[-1][1])
    return clauses


@cache
def parse(sql: str) -> Select:
    """Read a SELECT whose common tables come first; what is no SELECT has no columns."""
    clauses = _outermost(sql)
    quiet = _SAID.sub(" ", sql)
    head = quiet.upper().rpartition("SELECT")[0] if "SELECT" in clauses else ""
    return Select(
        tuple(_column(code, said) for code, said in clauses.get("SELECT", [])),
        tuple(" ".join(code.split()) for code, _ in clauses.get("GROUP BY", [])),
        tuple(dict.fromkeys(_TABLE.findall(quiet))),
        tuple(_COMMON.findall(quiet[: len(head)])),
    )
