"""Which shards of a view a delta changes, as SQL over the tables of a topic's state.

`delta` holds the delta's rows, `base_<rollup>` and `speed_<rollup>` what the state had before it, and `links_<view>`
the combinations of a view's `link_grain` in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from catalogue.views import ROLLUPS
from catalogue.views.rollups import Rollup
from catalogue.views.view import View


def delta_rows(rollups: Iterable[Rollup], data: Path) -> str:
    """The rows of these rollups in the file of a delta, which holds those of every topic."""
    rollups = tuple(rollups)
    columns = ", ".join(dict.fromkeys(name for r in rollups for name in r.types))
    names = ", ".join(f"'{r.name}'" for r in rollups)
    return f"SELECT rollup, {columns} FROM read_parquet('{data}') WHERE rollup IN ({names})"


def own_shards(changed: Iterable[tuple[View, list[Rollup]]]) -> str:
    """View and shard, as text, of the views' own rows in the delta, which has rows of these of their rollups."""
    places: dict[str, list[str]] = {}
    for view, rollups in changed:
        for rollup in rollups:
            places.setdefault(view.shard_column(rollup.name), []).append(f"('{view.name}', '{rollup.name}')")
    return " UNION ".join(
        f"SELECT view, {column}::VARCHAR AS v FROM delta JOIN (VALUES {', '.join(pairs)}) AS w(view, rollup) "
        f"USING (rollup) WHERE {column} IS NOT NULL"
        for column, pairs in places.items()
    )


def linked_shards(view: View, rollups: list[Rollup]) -> str:
    """View and shard, as text, of the rows that the delta's rows of a view's rollups change through the view's link."""
    return " UNION ".join(
        f"SELECT '{view.name}', {view.shard_column(r.name)}::VARCHAR "
        f"FROM (FROM base_{r.name} UNION ALL FROM speed_{r.name}) "
        f"WHERE {view.link} IN (SELECT {view.link} FROM delta AS d WHERE rollup = '{r.name}'{_is_new(view)})"
        for r in rollups
    )


def known_links(view: View) -> str:
    """The combinations of the view's `link_grain` in the batch run's state."""
    columns = ", ".join(view.link_grain)
    return " UNION ".join(f"SELECT DISTINCT {columns} FROM base_{r.name}" for r in view.rollups(ROLLUPS))


def new_links(view: View, rollups: list[Rollup]) -> str:
    """The combinations of the view's `link_grain` that are new with the delta."""
    columns = ", ".join(view.link_grain)
    return " UNION ".join(
        f"SELECT DISTINCT {columns} FROM delta AS d WHERE rollup = '{r.name}'{_is_new(view)}" for r in rollups
    )


def _is_new(view: View) -> str:
    if not view.link_grain:
        return ""
    same = " AND ".join(f"s.{c} = d.{c}" for c in view.link_grain)
    return f" AND NOT EXISTS (SELECT 1 FROM links_{view.name} AS s WHERE {same})"
