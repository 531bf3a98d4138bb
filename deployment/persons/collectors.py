"""What collectors keep of people: statements, documents, and what was learnt of earlier ones, on their own disks.

A collector takes it out itself, as it follows the tombstones; an erasure waits until every one has.
"""

from __future__ import annotations

import time

from catalogue.at_rest.collectors import CollectorSign, read_collectors
from catalogue.at_rest.erasures import ErasureError, age
from runtime.progress import progress
from runtime.settings import Settings
from runtime.storage.opening import open_store

FOLLOW_SECONDS = 300.0
POLL_SECONDS = 0.5


def followed_by_collectors(settings: Settings, version: str) -> list[str]:
    """Where collectors keep something, once none of them keeps anything of the people of a version of the tombstones.

    ErasureError where one doesn't run, or doesn't follow in time.
    """
    sources = open_store(settings.collector_sources, settings)
    deadline = time.monotonic() + FOLLOW_SECONDS
    while True:
        signs = read_collectors(sources)
        late = [sign for sign in signs if age(sign.erased) < age(version)]
        if not late:
            return sorted(f"{sign.host}:{sign.folder}" for sign in signs)
        for sign in late:
            if sign.gone:
                raise ErasureError(_told(sign, "must run to let go of the erased"))
        if time.monotonic() > deadline:
            raise ErasureError(_told(late[0], f"must let go of the erased within {FOLLOW_SECONDS:.0f} s"))
        progress("waiting for collectors")
        time.sleep(POLL_SECONDS)


def _told(sign: CollectorSign, wanted: str) -> str:
    way = f"run the command again then, or delete '{sign.path}' in COLLECTOR_SOURCES where that folder is no more"
    return f"collector of {sign.folder} on {sign.host}: {wanted}; last heard of at {sign.at}: {way}"
