"""Watched spans out of play, pause and seek: what a source tells that reports positions but not what was watched."""

from __future__ import annotations

from collections.abc import Hashable


class Playback:
    """Where each playing began; a playing is known by whatever tells it apart, as session, user and video."""

    def __init__(self) -> None:
        self._since: dict[Hashable, int] = {}
        self._last: dict[Hashable, int] = {}

    def play(self, playing: Hashable, second: int) -> None:
        """Start or go on at a second of the video."""
        self._since.setdefault(playing, second)
        self._last[playing] = second

    def stop(self, playing: Hashable, second: int) -> int:
        """Pause or end; the seconds watched since the playing began, 0 where it hadn't or the position fell."""
        since = self._since.pop(playing, second)
        self._last[playing] = second
        return max(0, second - since)

    def seek(self, playing: Hashable, before: int, after: int) -> int:
        """Jump; the seconds watched before it. Playing goes on where it went on before."""
        going = playing in self._since
        watched = self.stop(playing, before)
        if going:
            self._since[playing] = after
        self._last[playing] = after
        return watched

    def last(self, playing: Hashable) -> int | None:
        """The position last heard of."""
        return self._last.get(playing)
