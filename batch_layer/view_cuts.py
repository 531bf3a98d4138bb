"""How views whose rows draw on several buckets of the state are cut into tasks of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from batch_layer.buckets import bucket_of
from catalogue.views import ROLLUPS
from catalogue.views.rollups import Rollup
from catalogue.views.view import View


@dataclass(frozen=True)
class Cut:
    """Views that are made apart by the same columns, in `parts` tasks.

    `columns` says for each of their rollups by which column its rows come to a task: whatever a row of a view draws on
    has one value of it. Where no column does that (`is_linked`), rows come to a task of their link first, which hands
    them on to every task that has a person of that link.
    """

    views: tuple[View, ...]
    columns: tuple[tuple[str, str], ...]
    is_linked: bool = False
    parts: int = 1

    @property
    def name(self) -> str:
        """Unique among the cuts of a run."""
        return self.views[0].name

    @property
    def rollups(self) -> tuple[Rollup, ...]:
        """What its views draw on."""
        return tuple(ROLLUPS[name] for name, _ in self.columns)

    def bucket(self, rollup: str) -> str:
        """SQL: the task, or the task of links, that a row of a rollup comes to first."""
        return bucket_of(dict(self.columns)[rollup], self.parts)

    def bucket_of_view(self, view: View, rollup: str = "") -> str:
        """SQL: the task that makes a row of a view, told by the view's own row or by one of a rollup's."""
        return bucket_of(view.shard_column(rollup), self.parts)


def cuts(views: Iterable[View]) -> list[Cut]:
    """Views grouped by what they are made apart by.

    A row draws on rollup rows of its own key and, with a `link`, on those of one value of the link. So where the link
    is part of the key its column keeps together what belongs together; without a link the view's shard does.
    """
    found: dict[tuple[tuple[str, str], ...], list[View]] = {}
    linked = []
    for view in views:
        rollups = [r.name for r in view.rollups(ROLLUPS)]
        if view.link and view.link not in view.key:
            linked.append(Cut((view,), tuple((name, view.link) for name in rollups), True))
            continue
        columns = tuple((name, view.link or view.shard_column(name)) for name in rollups)
        found.setdefault(columns, []).append(view)
    return [Cut(tuple(group), columns) for columns, group in found.items()] + linked


def parts_of(cut: Cut, sizes: Mapping[str, int], most: int, part_bytes: int) -> int:
    """In how many tasks of `part_bytes` each a cut is made, `most` at most; `sizes` are its rollups' in bytes."""
    total = sum(sizes.get(rollup, 0) for rollup, _ in cut.columns)
    return max(1, min(most, -(-total // part_bytes)))
