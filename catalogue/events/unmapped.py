"""What was collected and no mapping knows: a topic beside the catalogue's, which no view reads.

A record is `{"standard", "source", "reason", "received_at", "document"}`: the document whole, so that a better mapping
can replay it. Ingestion lands it raw, and puts it into quarantine with its reason.
"""

from catalogue.events import TOPICS
from catalogue.events.schema import Topic

UNMAPPED = Topic(
    name="unmapped_topic",
    category="UNMAPPED",
    partitions=3,
    retention_days=730,
    share=0.0,
    job="",
    event_types=(),
)
# Every topic that events reach Kafka by, as ingestion lands them.
COLLECTED: dict[str, Topic] = {**TOPICS, UNMAPPED.name: UNMAPPED}
