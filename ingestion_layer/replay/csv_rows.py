"""The records of a CSV file, as objects by the names in its header. A record that can't be read costs itself only."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from ingestion_layer.replay.files import LONGEST_LINE, Lines

DELIMITERS = (",", ";", "\t", "|")
# A quoted field goes on for so many lines at most: a lost quote must not swallow what follows.
LONGEST_RECORD = 200
TOO_SHORT = "shorter than its header"
TOO_LONG = "longer than its header"
UNREADABLE = "no CSV record"
_SEPARATOR = re.compile('"?sep=."?')  # what spreadsheets write above a table
Found = dict[str, str] | str  # a record, or why there is none
csv.field_size_limit(2 * LONGEST_LINE)


def records(lines: Lines) -> Iterator[Found]:
    """Records of a file whose first line with a delimiter is a header, whatever that is; nothing of an empty file."""
    for line in lines:
        header = _text(line)
        if any(delimiter in header for delimiter in DELIMITERS) and not _SEPARATOR.fullmatch(header):
            break
        if header.strip() and not _SEPARATOR.fullmatch(header):  # a title above the table
            yield UNREADABLE
    else:
        return
    delimiter = max(DELIMITERS, key=header.count)
    names = [name.strip() for name in _fields(header, delimiter) or []]
    for line in lines:
        text = _text(line)
        if not text.strip():
            continue
        fields = _record(text, lines, delimiter, len(names)) if text.count('"') % 2 else _fields(text, delimiter)
        if fields is None:
            yield UNREADABLE
        elif len(fields) < len(names):
            yield TOO_SHORT
        elif len(fields) > len(names) and any(fields[len(names) :]):
            yield TOO_LONG
        else:
            yield dict(zip(names, fields, strict=False))


def _text(line: bytes) -> str:
    """A line in UTF-8, else in the code page that spreadsheets of the West write."""
    line = line.rstrip(b"\r").replace(b"\0", b"")
    try:
        return line.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _fields(text: str, delimiter: str) -> list[str] | None:
    try:
        found = list(csv.reader([text], delimiter=delimiter))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None


def _record(text: str, lines: Lines, delimiter: str, width: int) -> list[str] | None:
    """A record whose quotes don't close in its line: with the lines after it, where they make one of `width`."""
    taken: list[bytes] = []
    size = 0
    while len(taken) < LONGEST_RECORD and size < LONGEST_LINE and (line := lines.take()) is not None:
        taken.append(line)
        size += len(line)
        text += "\n" + _text(line.removesuffix(b"\n"))
        if text.count('"') % 2 == 0:
            fields = _fields_of_lines(text, delimiter)
            if fields and len(fields) == width:
                return fields
            break
    lines.put_back(b"".join(taken))
    return None


def _fields_of_lines(text: str, delimiter: str) -> list[str] | None:
    try:
        found = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None
