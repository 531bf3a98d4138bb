"""What an answer covers, and how far behind it may be."""

from __future__ import annotations

from datetime import UTC, datetime

from serving_layer.query.formats import json_bytes
from serving_layer.state.generation import Generation
from serving_layer.state.speed_heartbeat import SpeedHeartbeat

MOST_DESCRIBED = 64


class Coverage:
    """Says of answers what they cover, with what the speed layer last said of Kafka."""

    def __init__(self, heartbeat: SpeedHeartbeat):
        self.heartbeat = heartbeat

    def as_of(self, generation: Generation, topic: str, number: int, layer: str = "merged") -> bytes:
        """What an answer from `topic` at delta `number` covers, as JSON; of the batch layer, nothing beyond the cut."""
        batch = layer == "batch"
        key = () if batch else tuple(number if t == topic else s.applied for t, s in generation.topics.items())
        covers = generation.described.get(key)
        if covers is None:
            cuts = {t: s.cut for t, s in generation.topics.items()}
            heads = cuts
            if not batch:
                at = zip(generation.topics.items(), key, strict=True)
                heads = {t: dict(s.heads.get(n, s.head)) for (t, s), n in at}
            covers = json_bytes({"run": generation.run, "cut": cuts, "head": heads})[:-1]
            if len(generation.described) > MOST_DESCRIBED:
                generation.described.clear()
            generation.described[key] = covers
        watermark, lag = self.freshness(generation, topic, batch)
        return covers + b',"watermark":' + json_bytes(watermark) + b',"lag_seconds":' + json_bytes(lag) + b"}"

    def over_all(self, generation: Generation) -> tuple[str | None, float | None]:
        """The newest arrival that is covered in any topic, and the longest lag of a topic; None: unknown."""
        found = [self.freshness(generation, topic) for topic in generation.topics]
        newest = max((watermark for watermark, _ in found if watermark), default=None)
        return newest, max((lag for _, lag in found if lag is not None), default=None)

    def freshness(self, generation: Generation, topic: str, batch: bool = False) -> tuple[str | None, float | None]:
        """The newest arrival that is covered, and for how many seconds later ones may be missing; None: unknown.

        Nothing is missing up to the moment at which the speed layer last saw Kafka end where the answer does.
        """
        state = generation.topics[topic]
        watermark, head = (state.batch_watermark, state.cut) if batch else (state.watermark, state.head)
        known = watermark
        alive = self.heartbeat.said
        ends = alive.kafka.get(topic) if alive else None
        if alive and ends is not None and all(end <= head.get(p, 0) for p, end in ends.items()):
            known = max(known, alive.at)
        if not known:
            return None, None
        lag = (datetime.now(UTC) - datetime.fromisoformat(known)).total_seconds()
        return watermark or None, round(max(0.0, lag), 3)
