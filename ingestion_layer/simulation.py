"""A university at work: which event happens next.

Types are dealt from decks, so that their shares hold in every stretch of the stream. Where the dealt type could not
have happened, another one happens in its place and the debt is settled later.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial

from catalogue.events import EVENT_TYPES
from ingestion_layer.clock import SECOND, Schedule, WallClock, before_deadline
from ingestion_layer.decks import dealt
from ingestion_layer.population import Population
from ingestion_layer.scripts import ALWAYS, INSTEAD, SCRIPTS, SUPPLIED
from ingestion_layer.world import Record, World

Maker = Callable[[int], Record | None]

_YIELDS_TO_SUBMITTING = frozenset(("QUIZ_STARTED", "VIEW_STUDENT_WORK", "GRADE_ASSIGNMENT"))
_MOST_DEBTS = 256
_SESSION_SECONDS = 1800
_CONTROL_EVENTS = 64  # after so many it is looked anew how many students should be logged in


class Simulation:
    """Endless events of a population; `late` is the wanted share that arrives after one that happened later."""

    def __init__(
        self, people: Population, clock: Schedule | WallClock, seed: str, late: float = 0.0, events: int | None = None
    ):
        self._clock, self._rng = clock, random.Random(seed)
        most = len(people.students) // 3
        self._limit = max(2, most if events is None else min(most, events // 60))
        self._world = World(people, self._rng, SUPPLIED, late, clock.sparse)
        self._chains = {name: self._chain(name) for name in EVENT_TYPES}

    @property
    def late_made(self) -> int:
        """How many events so far arrived after one that happened later."""
        return self._world.text.late_made

    def records(self) -> Iterator[Record]:
        """Topic, key and value of one event after the other, for ever."""
        deal, sparse, chance = dealt(self._rng).__next__, self._clock.sparse, self._rng.random
        present = self._world.present
        students = present.students
        ahead: Counter[str] = Counter()
        behind: deque[str] = deque()
        last = 0
        for number, moment in enumerate(self._clock.moments()):
            now = moment
            if sparse:
                pause = 1 + int(self._rng.expovariate(1 / 75) * SECOND)
                now = last + pause if students or present.teachers else max(moment, last + pause)
            last = now = max(now, last + 1)
            if not number % _CONTROL_EVENTS:
                wanted_in = self._clock.rate(now) * _SESSION_SECONDS / 15
                present.target = target = min(self._limit, max(1.0, wanted_in))
                rush = before_deadline(now)
            name = wanted = deal()
            if rush and name in _YIELDS_TO_SUBMITTING and chance() < 0.5:
                name = "SUBMIT_ASSIGNMENT"
            elif ahead[name] and not rush:
                ahead[name] -= 1
                name = wanted = behind.popleft()
            elif name == "LOGIN" and len(students) > target * 1.2:
                name = wanted = "LOGOUT"
            elif name == "LOGOUT" and len(students) < target * 0.8 and (sparse or chance() < 0.5):
                name = wanted = "LOGIN"
            for candidate, make in self._chains[name]:
                record = make(now)
                if record:
                    happened = candidate
                    break
            else:
                raise RuntimeError(f"simulation: some event must be possible; got none for {name}")
            if happened != wanted and len(behind) < _MOST_DEBTS:
                ahead[happened] += 1
                behind.append(wanted)
            yield record

    def _chain(self, name: str) -> list[tuple[str, Maker]]:
        """What happens where `name` can't: the types to try, in order."""
        names = [name]
        while names[-1] in INSTEAD:
            names.append(INSTEAD[names[-1]])
        names += [n for n in ALWAYS if n not in names]
        return [(n, self._maker(n)) for n in names]

    def _maker(self, name: str) -> Maker:
        script = SCRIPTS.get(name)
        return partial(script, self._world) if script else partial(_unscripted, self._world, name)


def _unscripted(world: World, name: str, now: int) -> Record | None:
    """An event of a type without a script, by somebody of its actor's role."""
    actor = EVENT_TYPES[name].actor
    if actor == "admin":
        return world.write_alone(name, world.people.admins[0], now, "")
    sessions = world.present.teachers if actor == "teacher" else world.present.students
    return world.write(name, world.choose(sessions), now, "") if sessions else None
