"""Dates as people of several countries write them: `15/03/26, 10:00`, `3/15/26, 10:00 PM`, `15 Mar 2026, 10:00:00 AM`,
`Chủ nhật, 15 tháng 3 2026, 10:00 SA`, `2026年3月15日 10:00`. What they say is the clock of a wall; its zone is told
elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

_CLOCK = re.compile(r"(\d{1,2})\s*[:h]\s*(\d{2})(?:\s*:\s*(\d{2}))?(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W\d_]+")
_WEEKDAY = re.compile(r"\bthứ \d")  # Vietnamese numbers the days of the week
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
_MORNING = re.compile(r"(?<!\w)(?:a\. ?m\.?|am|sa|sáng|öö)(?!\w)|上午|午前|오전")
_AFTERNOON = re.compile(r"(?<!\w)(?:p\. ?m\.?|pm|ch|chiều|tối|ös)(?!\w)|下午|午後|오후")
# How the names of the months begin, in languages that Moodle is much used in; the longest that fits decides.
_MONTHS = (
    "jan gen ene oca янв січ tammi led sty",
    "feb fév fev şub фев лют helmi úno lut",
    "mar mär mrt мар бер maalis bře",
    "apr abr avr nis апр кві huhti dub kwi",
    "may mai maj mei mag май мая тра touko kvě",
    "jun juin giu haz июн чер kesä čvn červ cze",
    "jul juil lug tem июл лип heinä čvc červenec lip",
    "aug ago aoû aou ağu agu agt авг сер elo srp sie",
    "sep set eyl сен вер syys zář wrz",
    "oct okt out ott eki окт жов loka říj paź",
    "nov kas ноя лис marras lis",
    "dec dez dic déc des ara дек гру joulu pro gru",
)
_STEMS = sorted(((stem, n) for n, row in enumerate(_MONTHS, 1) for stem in row.split()), key=lambda s: -len(s[0]))


class Written(NamedTuple):
    """What a text says, before it is known which of two numbers is the month."""

    numbers: tuple[int, int, int]  # first, second, year
    month_first: bool | None  # None: the text doesn't tell
    clock: tuple[int, int, int]


@lru_cache(maxsize=65_536)
def written(text: str) -> Written | None:
    """The numbers of a date with a time; None where `text` isn't one."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    clock = _CLOCK.search(plain)
    if not clock:
        return None
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    rest = plain[: clock.start()] + " " + plain[clock.end() :]
    morning, afternoon = bool(_MORNING.search(rest)), bool(_AFTERNOON.search(rest))
    if morning and afternoon:
        return None
    if (morning or afternoon) and hour <= 12:  # some say 15:00 PM
        hour = hour % 12 + 12 * afternoon
    return _day(rest, (hour, minute, second))


def _day(rest: str, clock: tuple[int, int, int]) -> Written | None:
    rest = _ORDINAL.sub("", _WEEKDAY.sub(" ", rest))
    numbers = [(int(digits), len(digits)) for digits in re.findall(r"\d+", rest)]
    if len(numbers) == 3:
        (first, long), (second, _), (third, last) = numbers
        if long == 4:
            return Written((second, third, first), True, clock)
        if last in (2, 4):
            named = "tháng" in rest or "thg" in rest
            return Written((first, second, third + 2000 * (last == 2)), False if named else None, clock)
    months = [month for word in _WORD.findall(rest) if (month := _month(word))]
    if len(numbers) == 2 and months and numbers[1][1] in (2, 4):
        (day, _), (year, last) = numbers
        return Written((day, months[-1], year + 2000 * (last == 2)), False, clock)  # a weekday may begin like a month
    return None


@lru_cache(maxsize=4_096)
def _month(word: str) -> int | None:
    return next((month for stem, month in _STEMS if word.startswith(stem)), None)


def moment(said: Written, month_first: bool) -> datetime:
    """The date and time without a zone; `month_first` decides where the text doesn't. Raises ValueError."""
    first, second, year = said.numbers
    month, day = (first, second) if (month_first if said.month_first is None else said.month_first) else (second, first)
    return datetime(year, month, day, *said.clock)
