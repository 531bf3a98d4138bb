"""What every route of the collector needs: who sends, the body, Kafka, and the account of what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from starlette.requests import Request

from ingestion_layer.collecting.accounts import Accounts
from ingestion_layer.collecting.bodies import body_of
from ingestion_layer.collecting.budget import Budget
from ingestion_layer.collecting.gate import Gate
from ingestion_layer.collecting.kafka_delivery import KafkaDelivery
from ingestion_layer.collecting.refusals import Refused, come_again
from ingestion_layer.collecting.sources import MOST_BYTES, Source
from ingestion_layer.replay.row import Record
from runtime.settings import Settings


class Desk:
    """One for the process."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.budget = Budget(settings.collector_waiting_bytes)
        self.kafka = KafkaDelivery(settings, self.budget)
        self.gate = Gate(settings)
        self.accounts = Accounts(self.budget, self.kafka)

    def body(self, request: Request, source: Source | None) -> AbstractAsyncContextManager[bytes]:
        """The body of a source's request; of one whose source isn't known yet, with None."""
        return body_of(request, self.budget, source.bytes if source else MOST_BYTES)

    async def deliver(self, records: Sequence[Record]) -> None:
        """Until Kafka has all of them; Refused with 503 where it doesn't say so in time, 413 where it never takes one.

        What was offered stays offered then, and may arrive: the sender's second try has the same identities.
        """
        await self.until(self.kafka.offer(records))

    async def until(self, done: asyncio.Future[int]) -> None:
        """Wait as long as a sender should for what goes on anyway."""
        patience = self.settings.collector_patience_seconds
        finished, _ = await asyncio.wait({done}, timeout=patience)
        failure = done.exception() if finished and not done.cancelled() else None
        if isinstance(failure, Refused):
            raise failure
        if not finished or done.cancelled() or failure is not None:
            raise come_again("Kafka", f"must take events within {patience:g} s; come again with the same ones")
