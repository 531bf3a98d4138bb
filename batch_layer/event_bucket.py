"""A bucket of typed events judged: which are duplicates, what counts, and the ledger."""

from __future__ import annotations

from batch_layer.report import Report
from batch_layer.state import EARLIER, State
from batch_layer.topic_plan import TopicPlan
from batch_layer.topic_task import BatchError
from catalogue.at_rest.ledger import add_entries
from catalogue.sql.duplicates import MICROSECONDS_A_DAY, counted_of, duplicates_of, identified
from catalogue.sql.typed_events import is_erased


def count_events(state: State, plan: TopicPlan, report: Report) -> None:
    """Make view `counted` of table `events`, and keep the ids; the ledger's new figures are added to `report`.

    `again` where a whole reading might let another sighting of an id count than an earlier run did.
    """
    con, days = state.con, plan.task.horizon_days
    state.open_ids()
    con.execute(f"CREATE TABLE fresh_ids AS {identified('events')}")
    if state.base is not None and con.execute(_before_their_turn(days)).fetchall():
        report.again = "an id was sighted before its sighting that an earlier run has counted"
        return
    con.execute(f"CREATE TABLE duplicates AS {duplicates_of('fresh_ids', EARLIER, days)}")
    con.execute(f"CREATE VIEW counted AS {counted_of('events', 'duplicates')}")
    rows = con.execute(f"""SELECT "partition", max("offset") + 1, count(*),
        count(fault) FILTER (NOT {is_erased("fault")}), count(*) FILTER ({is_erased("fault")}),
        (SELECT count(*) FROM duplicates d WHERE d."partition" = e."partition"),
        (SELECT count(*) FROM counted c WHERE c."partition" = e."partition")
        FROM events e GROUP BY "partition" ORDER BY "partition" """).fetchall()
    for partition, end, landed, invalid, erased, duplicate, counted in rows:
        fresh = {"landed": landed, "counted": counted, "duplicate": duplicate, "invalid": invalid, "erased": erased}
        if landed != counted + duplicate + invalid + erased:
            raise BatchError(f"{report.topic} partition {partition}: ledger must close; got {fresh}")
        report.events += landed
        report.cut[str(partition)] = end
        add_entries(report.ledger, {str(partition): fresh})
    state.save_ids("fresh_ids", days)


def _before_their_turn(days: int) -> str:
    """New sightings that arrived before a known one of their id, or stand below all known ones of their chain.

    Within a partition that can't be: a later offset arrives later. Ids whose sightings are in several partitions, which
    Kafka's key rules out, are told here.
    """
    return f"""SELECT 1 FROM fresh_ids AS f JOIN (
            SELECT event_id, max(kafka_ts) AS newest, min(("offset", "partition")) AS lowest
            FROM {EARLIER} SEMI JOIN fresh_ids USING (event_id) GROUP BY 1
        ) AS e USING (event_id)
        WHERE f.kafka_ts < e.newest OR (f."offset", f."partition") < e.lowest
            AND epoch_us(f.kafka_ts) - epoch_us(e.newest) <= {days * MICROSECONDS_A_DAY} LIMIT 1"""
