"""What a view is: one SELECT over rollups of one topic, the same text in batch and serving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalogue.views.rollups import Rollup, shard_of
from catalogue.views.select import parse, words


@dataclass(frozen=True)
class View:
    """A view of `topic`: one row per `key`.

    `sql` is one SELECT that names the key's columns first and has a line `expression AS column,  -- meaning` per
    column. It reads rollups by their names, as tables that hold a merged state each.

    Parts of a view are computed apart, so that a new event costs its person's rows and not the table. A part is the
    rows of one value of `shard`, the key's person or day (`shard_of`). Two things the SELECT alone can't tell:

    - `sharded_by`: pairs of a rollup and its column for the shard, where the rollup calls it otherwise. A student's
      performance is keyed by `user_id`; in `assessment_grades` that student is the `student_id`.
    - `link`: a column of the rollups by which a row also draws on rows of others. A student's share of the course's
      videos depends on what others watched in the course: `link="course_id"`. Then an event is new to everyone who
      has a row of that course, unless `link_grain` says which combination has to be new to change others' rows:
      `("course_id", "video_id")`, as a video that was watched before adds nothing to the course's videos.

    `further` views stand beside those that were agreed on with who reads the files.
    """

    name: str
    topic: str
    key: tuple[str, ...]
    sql: str
    sharded_by: tuple[tuple[str, str], ...] = ()
    link: str = ""
    link_grain: tuple[str, ...] = ()
    further: bool = False

    @property
    def shard(self) -> str:
        """The key column by whose values parts of the view are computed apart."""
        return shard_of(self.key)

    def shard_column(self, rollup: str) -> str:
        """The column of a rollup that holds the values of `shard`."""
        return dict(self.sharded_by).get(rollup, self.shard)

    @property
    def meanings(self) -> dict[str, str]:
        """Meaning of each column, in column order, read from the comments of `sql`."""
        return {c.name: c.meaning for c in parse(self.sql).columns}

    def rollups(self, known: Mapping[str, Rollup]) -> tuple[Rollup, ...]:
        """The rollups of `known` that the view reads."""
        read = set(words(self.sql))
        return tuple(r for name, r in known.items() if name in read and r.topic == self.topic)
