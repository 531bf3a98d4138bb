"""Believable values for the fields that no script supplies, and identities of events."""

from __future__ import annotations

import random

import numpy as np

from catalogue.events.schema import Field, Kind

DIGITS = [place for place in range(36) if place not in (8, 13, 18, 23)]


def identities(rng: random.Random) -> str:
    """Some thousand UUIDs of 36 characters, one right after the other: made together they cost little."""
    made = np.full((4096, 36), ord("-"), np.uint8)
    made[:, DIGITS] = np.frombuffer(rng.randbytes(16 * 4096).hex().encode(), np.uint8).reshape(4096, 32)
    made[:, 14], made[:, 19] = ord("4"), ord("a")
    return made.tobytes().decode()


def fake(field: Field, rng: random.Random) -> object:
    """A value that the catalogue's rule for the field accepts."""
    if field.fake:
        return field.fake(rng)
    if field.choices:
        return rng.choice(field.choices)
    low = 0 if field.minimum is None else field.minimum
    high = max(low, 100 if field.maximum is None else field.maximum)
    match field.kind:
        case Kind.IDENTIFIER:
            return f"{field.prefix or 'ID'}{rng.randint(1, 100):03}"
        case Kind.UUID:
            h = rng.randbytes(16).hex()
            return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"
        case Kind.INTEGER:
            return rng.randint(low, high)
        case Kind.SCORE:
            return rng.randint(0, 400) / 4
        case Kind.NAMES:
            return [field.name]
        case Kind.TIMESTAMP:
            return f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} 12:00:00"
        case _:
            return f"{field.name} {rng.randint(1, 100)}"
