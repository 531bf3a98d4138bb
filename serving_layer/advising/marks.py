"""Whether advisers have written since: by the tags of what the store holds, whichever replica they wrote to."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress

from runtime.background import Background
from runtime.logs import Log
from runtime.storage.store import StorageError, Store
from serving_layer.advising import advice, thresholds
from serving_layer.advising.lines import place_of
from serving_layer.identity.viewer import Viewer

LOG = Log("serving")
LOOK_SECONDS = 2.0


class Marks:
    """Tags of advisers' objects, listed every LOOK_SECONDS while somebody follows them, and at once by `wrote`.

    Each of `told` is called when they have changed, by the thread that saw it.
    """

    def __init__(self, store: Store):
        self.store, self.told, self.followers = store, list[Callable[[], None]](), 0
        self._tags: dict[str, str] = {}
        self._all = ""
        self._lock = threading.Lock()
        self._looking = Background("advice", LOG, self._watch, LOOK_SECONDS)

    def start(self) -> None:
        """Begin to look."""
        self._looking.start()

    def stop(self) -> None:
        """Look no more."""
        self._looking.stop()

    def wrote(self) -> None:
        """Look at once; where the store is away now, the next look sees it."""
        with suppress(StorageError):
            self.look()

    def look(self) -> None:
        """List the objects, and tell if any has changed."""
        with self._lock:
            tags = {e.path: e.etag for folder in (advice.FOLDER, thresholds.FOLDER) for e in self.store.list(folder)}
            changed = tags != self._tags
            self._tags, self._all = tags, _digest(sorted(tags.items())) if changed else self._all
        if changed:
            for listener in tuple(self.told):
                listener()

    async def followed(
        self, follow: Callable[[Callable[[], str] | None], AsyncGenerator[bytes]], viewer: Viewer
    ) -> AsyncIterator[bytes]:
        """What a follower is told, with marks where the viewer may read any of it."""
        reads = advises(viewer)
        self.followers += reads
        try:
            async with aclosing(follow((lambda: self.of(viewer)) if reads else None)) as told:
                async for event in told:
                    yield event
        finally:
            self.followers -= reads

    def _watch(self) -> None:
        if self.followers:
            self.look()

    def of(self, viewer: Viewer) -> str:
        """A text that changes when what the viewer may read does: about their students, and their own thresholds."""
        if viewer.role == "admin":
            return self._all
        tags, paths = self._tags, {place_of(thresholds.FOLDER, author(viewer))}
        if viewer.role == "adviser":
            paths |= {advice.path_of(student) for student in viewer.students}
        return _digest([(path, tags[path]) for path in sorted(paths & tags.keys())])


def _digest(tags: list[tuple[str, str]]) -> str:
    return hashlib.sha256(repr(tags).encode()).hexdigest()[:16]


def author(viewer: Viewer) -> str:
    """Whom what is written is by."""
    return viewer.person or viewer.credential or viewer.role


def advises(viewer: Viewer) -> bool:
    """Whether the viewer may keep thresholds: whoever looks at more people than themselves."""
    return viewer.scope is None and viewer.role != "student"
