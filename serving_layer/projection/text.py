"""Text as PostgreSQL can hold it: a text of events may have the character NUL, one of PostgreSQL may not.

NUL becomes `␛0`, and `␛` itself `␛␛`, so that different texts stay different. Both are rare: almost every text stays.
"""

from __future__ import annotations

MARK = "␛"
NUL = f"{MARK}0"


def written(text: str) -> str:
    """The text as it is written."""
    return text.replace(MARK, MARK * 2).replace("\0", NUL)


def written_sql(column: str) -> str:
    """The same of a column, as DuckDB's SQL."""
    return f"replace(replace({column}, '{MARK}', '{MARK * 2}'), chr(0), '{NUL}')"
