"""The collectors' account of what each source sent: asked of the collectors themselves, added up over them."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

from catalogue.at_rest.senders import declared_senders
from runtime.settings import Settings, SettingsError
from runtime.storage.opening import open_store

FATES = ("received", "accepted", "duplicate", "rejected", "deferred", "erased")
EVENTS = "collector_events_total"
LIMIT_SECONDS = 3.0
_Sums = dict[tuple[str, str], dict[str, int]]


class Collectors:
    """The sources that are declared, and what the collectors at COLLECTOR_ADDRESSES have answered since they started.

    SettingsError for an address without a scheme.
    """

    def __init__(self, settings: Settings):
        self.store = open_store(settings.collector_sources, settings)
        told = (settings.collector_addresses or "").split(",")
        self.addresses = [address.strip().rstrip("/") for address in told if address.strip()]
        for address in self.addresses:
            if not address.startswith(("http://", "https://")):
                raise SettingsError(
                    f"setting COLLECTOR_ADDRESSES: must be addresses with http:// or https://; got {address!r}"
                )

    def told(self) -> dict[str, Any]:
        """Each source with its fates, which are None where no collector is set or answers. StorageError."""
        declared = declared_senders(self.store)
        with ThreadPoolExecutor(max_workers=8) as pool:
            answers = list(pool.map(_asked, self.addresses))
        sums: _Sums = {}
        for answer in answers:
            for source, standard, fate, number in answer or ():
                of = sums.setdefault((source, standard), dict.fromkeys(FATES, 0))
                of[fate] = of.get(fate, 0) + number
        known = any(answer is not None for answer in answers)
        names = {(one["name"], one["standard"]): one for one in declared}
        nothing: dict[str, int | None] = dict.fromkeys(FATES, 0 if known else None)
        return {
            "sources": [
                {"name": name, "standard": standard, "declared": (name, standard) in names}
                | {field: names.get((name, standard), {}).get(field) for field in ("course", "role", "rate")}
                | sums.get((name, standard), nothing)
                for name, standard in sorted({*names, *sums})
            ],
            "collectors": [
                {"address": address, "answers": answer is not None}
                for address, answer in zip(self.addresses, answers, strict=True)
            ],
        }


def _asked(address: str) -> list[tuple[str, str, str, int]] | None:
    """Source, standard, fate and number, as a collector's metrics say; None where it doesn't answer with them."""
    try:
        answer = requests.get(f"{address}/metrics", timeout=LIMIT_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        return list(_counts(answer.text))
    except (requests.RequestException, KeyError, ValueError):
        return None


def _counts(text: str) -> Iterable[tuple[str, str, str, int]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == EVENTS:
                yield sample.labels["source"], sample.labels["standard"], sample.labels["fate"], int(sample.value)
