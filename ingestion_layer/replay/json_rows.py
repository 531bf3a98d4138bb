"""The JSON documents of a file, however they stand in it: a line each, in arrays, printed over many lines, behind a
logger's prefix, in the result documents of a store. What is none costs itself only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from ingestion_layer.replay.files import LONGEST_LINE, Lines

NOT_JSON = "not JSON"
NO_OBJECT = "not a JSON object"
Found = dict[str, Any] | str  # a document, or why there is none
_BLANK = b" \t\r\n\0\x1e\x0b\x0c"
_SEPARATORS = re.compile("[\\s\0\x1e,\ufeff]*")
_NEXT = re.compile(r"\}\s*,\s*(?=\{)")
_STRUCTURE = re.compile(rb'\[|[\]},\s]*|\]\s*,\s*"more"\s*:\s*("[^"]*"|null)\s*\}?')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
PREFIXES = 8
LOOK_AHEAD = 64 * 1024


def documents(lines: Lines, containers: tuple[str, ...] = ()) -> Iterator[Found]:
    """Documents, and the reason for each line that is none; members of `containers` in a long document are
    documents.
    """
    for line in lines:
        text = line.strip(_BLANK)
        if not text:
            continue
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            yield from _slowly(text, lines, containers)
            continue
        if type(value) is dict:
            yield value
        else:
            yield from _elements(value)


def _elements(value: Any) -> Iterator[Found]:
    if isinstance(value, list):
        for element in value:
            yield from _elements(element)
    else:
        yield value if isinstance(value, dict) else NO_OBJECT


def _slowly(text: bytes, lines: Lines, containers: tuple[str, ...]) -> Iterator[Found]:
    text = text.removeprefix(b"\xef\xbb\xbf").strip(b", \t")
    if _STRUCTURE.fullmatch(text):
        return
    if text[:1] in (b"{", b"["):
        values = _Values(text, lines, containers)
        yield from values
        if not values.broken:
            return
    yield from _behind_a_prefix(text)


def _behind_a_prefix(text: bytes) -> Iterator[Found]:
    """The object in a line behind a logger's prefix, or behind another that was cut short."""
    plain, at = text.decode("utf-8", "surrogateescape"), 0
    for _ in range(PREFIXES):
        at = plain.find("{", at + 1 if at or plain[:1] == "{" else 0)
        if at < 0:
            break
        try:
            value, end = _DECODER.raw_decode(plain, at)
        except (ValueError, RecursionError):
            continue
        if not isinstance(value, dict) or not value or plain[end:].strip(" ,;")[:1] in ("}", "]", ",", '"', ":"):
            break  # a part of what was cut short
        if plain[:1] == "{" and '"' in plain[:at]:
            yield NOT_JSON
        yield _clean(value)
        return
    yield NOT_JSON


class _Broken(Exception):
    """What stands at a place is no JSON."""


def _integer(text: str) -> int | float:
    return int(text) if len(text) < 19 else float(text)


_DECODER = json.JSONDecoder(parse_int=_integer)


def _lenient(text: str) -> Any:
    """What orjson refuses and others write: NaN and infinities, huge integers, halves of characters."""
    return json.loads(_SURROGATE.sub("\ufffd", text), parse_int=_integer)


class _Values:
    """The values that begin in a line and may go on for many; what is read too far is put back.

    `broken` says that the line itself begins none, and is to be looked at in another way.
    """

    def __init__(self, text: bytes, lines: Lines, containers: tuple[str, ...]):
        self._lines, self._containers = lines, containers
        self._text = (text + (b"" if lines.cut else b"\n")).decode("utf-8", "surrogateescape")
        self._at = 0
        self._from: int | None = 0  # what has to be kept, as nothing came out of it yet
        self.broken = False

    def __iter__(self) -> Iterator[Found]:
        try:
            while True:
                for found in self._value():
                    self._from = None
                    yield found
                blank = _SEPARATORS.match(self._text, self._at)
                self._at = blank.end() if blank else self._at
                if self._at == len(self._text) or (blank and "\n" in blank[0]):
                    break
                if self._text[self._at] not in "{[":  # what else stands behind a value in its line
                    self._skip_line()
                    break
        except _Broken:
            if self._from is None:
                yield NOT_JSON
            else:
                self._at, self.broken = self._from, True
            self._skip_line()
        self._lines.put_back(self._text[self._at :].encode("utf-8", "surrogateescape"))

    def _value(self) -> Iterator[Found]:
        if self._text[self._at] == "[":
            self._at += 1
            yield from self._array()
            return
        try:
            value = self._whole()
        except _Broken:
            if self._text[self._at] != "{":
                raise
            yield from self._container()
        else:
            yield from _elements(value)

    def _array(self) -> Iterator[Found]:
        while self._here():
            if self._text[self._at] == "]":
                self._at += 1
                return
            try:
                value = self._whole()
            except _Broken:
                following = None if self._from is not None else _NEXT.search(self._text, self._at)
                if not following or "\n" in self._text[self._at : following.start()]:
                    raise
                yield NOT_JSON
                self._at = following.end()
            else:
                yield from _elements([value])

    def _container(self) -> Iterator[Found]:
        """A document too long, or damaged, to be read as one, whose rows stand in a member of it."""
        self._at += 1
        while self._here() and self._text[self._at] != "}":
            name = self._whole()
            if not self._here() or self._text[self._at] != ":":
                raise _Broken
            self._at += 1
            if self._here() and name in self._containers and self._text[self._at] == "[":
                self._at += 1
                yield from self._array()
            else:
                self._whole()
        if self._from is not None or self._at == len(self._text):  # without a row
            raise _Broken
        self._at += 1

    def _whole(self) -> Any:
        """The value at the place, read further until it is whole."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.pos > len(self._text) - 16 or error.msg.startswith("Unterminated string")
                if not cut or len(self._text) - self._at > LONGEST_LINE or not self._more():
                    raise _Broken from error
            except RecursionError as error:
                raise _Broken from error
            else:
                self._at = end
                return _clean(value)

    def _here(self) -> bool:
        """Whether something follows, at which the place is set."""
        while True:
            self._at = _SEPARATORS.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return True
            if not self._more():
                return False

    def _more(self) -> bool:
        begin = self._at if self._from is None or self._at - self._from > LONGEST_LINE else self._from
        parts, size = [self._text[begin:]], 0
        wanted = max(LOOK_AHEAD, len(parts[0]))
        while size < wanted and (line := self._lines.take()) is not None:
            parts.append(line.decode("utf-8", "surrogateescape"))
            size += len(line)
        self._text, self._at = "".join(parts), self._at - begin
        self._from = None if self._from is None or begin > self._from else 0
        return size > 0

    def _skip_line(self) -> None:
        while (end := self._text.find("\n", self._at)) < 0:
            self._at, self._from = len(self._text), None
            if not self._more():
                return
        self._at = end + 1


def _clean(value: Any) -> Any:
    """Without halves of characters, which no JSON of ours can hold."""
    try:
        orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return _lenient(json.dumps(value))
    return value
