"""Words in texts that people wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable


def without(text: str, words: Iterable[str]) -> str:
    """The text with `…` for each of these words, where it stands whole."""
    either = "|".join(map(re.escape, sorted(set(words), key=len, reverse=True)))
    return re.sub(rf"(?<!\w)(?:{either})(?!\w)", "…", text) if either else text
