"""The person behind a pseudonym, found among the people whom the views name."""

from __future__ import annotations

import hmac
from contextlib import closing

from catalogue.views import VIEWS
from catalogue.views.disclosure import disclosure
from serving_layer.identity.sight import PSEUDONYM_LENGTH, pseudonym_of
from serving_layer.state.generation import Generation

MANY = 10_000


def person_of(generation: Generation, pseudonym: str, key: bytes) -> str | None:
    """Whom the pseudonym stands for under `key`; None where nobody in the views has it.

    Nothing says it but the key and the ids together, so each id is tried: a second for some 300,000.
    """
    if not key or len(pseudonym) != PSEUDONYM_LENGTH:
        return None
    tried: set[str] = set()
    for view in VIEWS.values():
        person = disclosure(view).person
        if not person:
            continue
        state = generation.topics[view.topic]
        state.refresh(view.name)
        with closing(state.con.cursor()) as cursor:
            found = cursor.execute(f'SELECT DISTINCT "{person}" FROM view_{view.name} WHERE "{person}" IS NOT NULL')
            while rows := found.fetchmany(MANY):
                for (name,) in rows:
                    if name not in tried and hmac.compare_digest(pseudonym_of(name, key), pseudonym):
                        return str(name)
                    tried.add(name)
    return None
