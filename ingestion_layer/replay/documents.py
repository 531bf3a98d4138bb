"""Prints `docs/replay-mappings.md` from the rules of the formats: `python -m ingestion_layer.replay.documents`."""

from __future__ import annotations

from pathlib import Path

from ingestion_layer.replay import FORMATS, format_named

PAGE = Path(__file__).resolve().parents[2] / "docs" / "replay-mappings.md"
STAMP = "<!-- Printed by `make docs` from ingestion_layer/replay; edit there. -->\n"
INTRODUCTION = """# What replayed data becomes

`python ingestion_layer/producer.py --replay FILE --format …` sends real data. `--replay` may be repeated, and a folder
stands for the files in it, but for hidden ones. Files may be packed with gzip, which their first bytes tell, and in
UTF-8 or UTF-16, with or without a mark.

## What is done with each row
A row is a CSV record, a statement or event wherever it stands (a line, an array, a store's result document, an
envelope, printed over many lines, behind a logger's prefix), or a line that is none. Each becomes an event or more, or
is counted with one reason: `rows read` = `rows mapped` + `rows that became no event`, and the reasons sum up. The
smallest thing that is wrong is left out: an optional value that can't be read costs itself, a row that can't costs
itself. `--summary FILE` writes the summary as JSON, `--rejected FILE` a JSON line per row that became no event: its
file, its number in it (a header counts for none), the reason. Reasons hold no values of rows but for the names of
events, without addresses. An event that the catalogue would call invalid is never sent. A replay in which no row
becomes an event fails.

## What it doesn't depend on
Rows are mapped in the order of their times, whatever order and files they come in; of one moment pauses come before
plays. So what a call says of a set of rows depends neither on how it is cut into files, nor on their names and order,
nor on whether a file is given twice. Rows are sorted on disk: memory doesn't grow with their number, but with that of
people, of the assignments that each has opened, and of sessions of the last 7 days; the temporary folder takes about
what the unpacked rows do.

- **Identity** is what a row says, in a canonical form: a UUID of the source in lower case, else the content that the
  format names below. Where a clock tells whole seconds, equal rows of one file are told apart by their ordinal. So the
  same row is the same event, whichever file and call it comes in; a cut between two equal rows makes one of them.
- **Between calls** only identities join, no state is kept. A row sent in two calls counts once, and so does a first
  view, a span that is listed (`played-segments`) with the same ends in whole seconds, and what lies between a play and
  a pause that came in both calls. What a play in one call and a pause in another have between them isn't counted, and a
  listed span that has grown from one call to the next counts in both: give such files in one call.
- **Roles, numbers of user names and voiding** are learnt from all rows of a call before any is mapped.

## People, courses, items, numbers, times
- Nobody is who is called nothing, `-`, `0`, `None` or `null`: such rows are counted. A role is what the source says
  (enrolment, membership, staff), else `--default-role`: a student where nothing is given, and nothing where that is
  `none`.
- The course is what the row names, else `--course`.
- Identifiers of more than 128 characters keep their first 95 and get a hash of all, so that different ones stay so.
- Numbers are finite. Positions and lengths are whole seconds passed; points and what was watched are rounded half up,
  the latter over a session.
- A time without a zone is of `--timezone ZONE`, else UTC; of an hour that comes twice the first is meant, and these
  hours and those that the clock left out are counted. Numbers are seconds since 1970, or milliseconds. Times are from
  2000 to tomorrow.
- What was watched is never longer than the clock between the two events that tell it.
"""
OWN = """## events: our own JSON lines
As `--output` writes them: the bytes go out unchanged, to the topic of their `event_category`, keyed by `user_id`. A
line that is no JSON or names no category is counted, for no topic could take it. Invalid ones are sent, and counted in
the summary.
"""


def page() -> str:
    """The page. Of a format without rules its section stays as it is."""
    sections = [_section(name) for name in FORMATS if name != "events"]
    return STAMP + "\n".join([INTRODUCTION, *sections, OWN])


def _section(name: str) -> str:
    form = format_named(name)
    if not form.rules:
        kept = PAGE.read_text(encoding="utf-8").partition(f"\n## {name}:")
        return f"## {name}:{kept[2].partition(chr(10) + '## ')[0]}"
    rows = [f"| {', '.join(rule.names)} | {_types(rule.becomes)} | {rule.note} |" for rule in form.rules]
    head = ["| source | becomes | how |", "|---|---|---|"]
    return "\n".join(
        [f"## {name}: {form.about.strip()}", "", *head, *rows, "| anything else | no event | counted |", ""]
    )


def _types(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", ")) if names.isupper() or "_" in names else "no event"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(PAGE.parents[1]))


if __name__ == "__main__":
    main()
