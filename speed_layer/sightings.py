"""Sightings: which event id was seen where and when, as Parquet files hold them and as arrays that are searched.

A sighting is a fact of Kafka's log, not of a delta: whichever file tells of it, it counts as known once its offset is
below the head. Searched are arrays of three rows, one column per sighting: the id's upper and lower half, and its
arrival in microseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Array = npt.NDArray[Any]
COLUMNS = pa.schema(
    [
        ("topic", pa.dictionary(pa.int8(), pa.string())),
        ("event_id", pa.binary(16)),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("kafka_ts", pa.timestamp("us")),
    ]
)
HIGH, LOW, ARRIVED = range(3)


def halves(ids: pa.ChunkedArray) -> Array:
    """Ids of 16 bytes as two rows of unsigned numbers: upper and lower halves."""
    chunks = [chunk.storage if isinstance(chunk, pa.ExtensionArray) else chunk for chunk in ids.chunks]
    parts = [
        np.frombuffer(chunk.buffers()[1], ">u8").reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]
        for chunk in chunks
        if len(chunk)
    ]
    found = np.concatenate(parts) if parts else np.empty((0, 2), np.uint64)
    return np.ascontiguousarray(found.T, np.uint64)


def searched(sightings: pa.Table) -> Array:
    """Sightings as an array, in their order."""
    arrived = sightings["kafka_ts"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    return np.vstack([halves(sightings["event_id"]), arrived.astype(np.uint64)[np.newaxis]])


def in_order(array: Array) -> Array:
    """The same sightings in the order of their ids' upper halves, as `find` needs them."""
    return np.ascontiguousarray(array[:, np.argsort(array[HIGH])])


def below(sightings: pa.Table, head: dict[str, int]) -> pa.Table:
    """Those of one topic's sightings whose offset is below `head`."""
    ends = np.zeros(1 + max((int(p) for p in head), default=0), np.int64)
    for partition, end in head.items():
        ends[int(partition)] = end
    partitions = sightings["partition"].to_numpy()
    known = partitions < len(ends)
    return sightings.filter(pa.array(known & (sightings["offset"].to_numpy() < ends[np.where(known, partitions, 0)])))


def of_topic(sightings: pa.Table, topic: str) -> pa.Table:
    """Those of one topic."""
    return sightings.filter(pc.equal(sightings["topic"].cast(pa.string()), topic))


def find(array: Array, ids: Array) -> tuple[Array, Array]:
    """Where in `ids` (two rows of halves) a sighting's id stands, and when it arrived; one pair for each such sighting.

    `array` is one `in_order`, in memory or mapped from a file, of which only a few pages are read.
    """
    upper = array[HIGH]
    at = np.searchsorted(upper, ids[HIGH])
    waiting = np.arange(ids.shape[1])
    places: list[Array] = []
    arrivals: list[Array] = []
    while len(waiting):  # mostly once: two ids seldom have the same upper half
        waiting = waiting[at[waiting] < len(upper)]
        waiting = waiting[upper[at[waiting]] == ids[HIGH][waiting]]
        hits = waiting[array[LOW][at[waiting]] == ids[LOW][waiting]]
        places.append(hits)
        arrivals.append(np.asarray(array[ARRIVED][at[hits]]).astype(np.int64))
        at[waiting] += 1
    return (
        np.concatenate(places) if places else np.empty(0, np.int64),
        np.concatenate(arrivals) if arrivals else np.empty(0, np.int64),
    )
