"""Buckets: the parts, by hash, into which a topic's ids and states are cut, so that no task needs all of a topic."""

from __future__ import annotations

from catalogue.views.rollups import Rollup
from catalogue.views.view import View


def bucket_of(expression: str, buckets: int) -> str:
    """SQL: the bucket, from 0, of a value. By MD5, which no release of DuckDB changes, as states outlive them."""
    return f"(md5_number_lower(coalesce(({expression})::VARCHAR, '')) % {buckets})" if buckets > 1 else "0"


def event_bucket(buckets: int) -> str:
    """SQL: the bucket of a typed event. Sightings of an id come together; so do copies of an event, whatever its id."""
    return bucket_of("""coalesce(event_id::VARCHAR, "partition" || ' ' || "offset")""", buckets)


def stands_in_buckets(view: View, rollups: tuple[Rollup, ...]) -> bool:
    """Whether each row of a view draws on rows of one bucket: those of its person or day, where that is what the states
    are kept apart by.
    """
    return not view.link and all(view.shard_column(r.name) == r.shard for r in rollups)
