"""Where the rows of a view are, in the database of a topic's state."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

TEMPORARY = "answer"


@dataclass(frozen=True)
class Relation:
    """Rows that `sql` names, a table, or computes, a SELECT."""

    sql: str
    computed: bool = False

    def name(self, cursor: duckdb.DuckDBPyConnection) -> str:
        """The table that has the rows, within the transaction of `cursor`: what is computed is computed here, once."""
        if not self.computed:
            return self.sql
        cursor.execute(f"CREATE TEMP TABLE {TEMPORARY} AS {self.sql}")
        return TEMPORARY
