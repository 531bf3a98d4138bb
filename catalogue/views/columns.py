"""The columns of the views, with the types that DuckDB gives them."""

from __future__ import annotations

from catalogue.sql.dialect import connect
from catalogue.views import ROLLUPS, VIEWS


def view_columns() -> dict[str, dict[str, str]]:
    """SQL type of each view's columns, in order."""
    con = connect()
    for rollup in ROLLUPS.values():
        kinds = [f"{name} {kind}" for name, kind in rollup.types.items()]
        con.execute(f"CREATE TABLE {rollup.name} ({', '.join(kinds)})")
    return {v.name: {c[0]: c[1] for c in con.execute(f"DESCRIBE {v.sql}").fetchall()} for v in VIEWS.values()}
