"""A view's SELECT over the tables of a topic's state: `base_<rollup>` of the run, `speed_<rollup>` of the deltas."""

from __future__ import annotations

from catalogue.views import ROLLUPS
from catalogue.views.view import View

LAYERS = {"merged": ("base", "speed"), "base": ("base",), "speed": ("speed",)}


def select(view: View, layer: str = "merged", restriction: str = "") -> str:
    """The view's SELECT over merged rollups of a layer; `restriction` is a condition with {column} for the shard's."""
    tables = []
    for rollup in view.rollups(ROLLUPS):
        column = view.link or view.shard_column(rollup.name)
        where = f" WHERE {restriction.format(column=column)}" if restriction else ""
        states = " UNION ALL ".join(f"SELECT * FROM {name}_{rollup.name}{where}" for name in LAYERS[layer])
        tables.append(f"{rollup.name} AS ({rollup.merge(f'({states})')})")
    return f"WITH {', '.join(tables)} SELECT * FROM ({view.sql})"


def select_shards(view: View, values: str) -> str:
    """The view's SELECT of the shards in `values`, a list or a SELECT in brackets."""
    if not view.link:
        return select(view, restriction=f"{{column}} IN {values}")
    linked = " UNION ".join(
        f"SELECT {view.link} FROM {layer}_{r.name} WHERE {view.shard_column(r.name)} IN {values}"
        for r in view.rollups(ROLLUPS)
        for layer in LAYERS["merged"]
    )
    of_linked = select(view, restriction=f"{{column}} IN ({linked})")
    return f"SELECT * FROM ({of_linked}) WHERE {view.shard} IN {values}"
