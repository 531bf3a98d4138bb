"""Moments as manifests and messages write them: UTC, milliseconds, with Z."""

from __future__ import annotations

import datetime as dt


def written(moment: dt.datetime) -> str:
    """A moment as text; one without a zone is in UTC."""
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def now() -> str:
    """This moment."""
    return written(dt.datetime.now(dt.UTC))
