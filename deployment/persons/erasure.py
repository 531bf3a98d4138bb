"""Erasing people, step by step; every step may be repeated, so that a stopped erasure goes on where it is begun again.

1. Their tombstones: from here on nobody lands or counts what names them. 2. Raw files and the quarantine without them.
3. A batch run without them. 4. Older runs go. 5. Deltas go: a speed layer that runs makes them anew, from what is
published. 6. Collectors let go of them. 7. Roster, keys and logins. 8. Every byte at rest is searched. 9. The
certificate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from batch_layer.publication import drop_runs_before, publish
from batch_layer.run_batch_jobs import compute, new_run
from catalogue.at_rest.alive import read_alive
from catalogue.at_rest.deltas import drop_manifests, read_deltas
from catalogue.at_rest.erasures import ErasureError, Erasures, add_people, age
from catalogue.at_rest.raw_persons import Found, Looked, People, parted
from catalogue.at_rest.runs import current, kept_runs
from catalogue.events import JOBS
from deployment.persons.collectors import followed_by_collectors
from deployment.persons.journal import Journal
from deployment.persons.kafka_log import earliest_offsets, still_in_kafka
from deployment.persons.places import Places, each, event_files, rewrite, topic_of, unpacked
from deployment.persons.remains import Sought, remains, remains_in
from runtime.kafka_offsets import Offsets
from runtime.progress import progress
from runtime.settings import Settings
from runtime.storage.store import Store
from serving_layer.advising.advice import forget as forget_advice
from serving_layer.advising.thresholds import forget as forget_thresholds
from serving_layer.disclosure.chains import forget
from serving_layer.identity import api_keys
from serving_layer.identity.roster import read_roster, write_roster
from serving_layer.identity.sessions import naming

LONGEST_ID = 128
FOLLOW_SECONDS = 300.0
POLL_SECONDS = 0.5


def checked(ids: Iterable[str]) -> list[str]:
    """The ids, each once. ErasureError where one can't be a person's."""
    found = sorted(set(ids))
    if not found:
        raise ErasureError("erase: must be told at least one person's id; got none")
    for one in found:
        if not 1 <= len(one) <= LONGEST_ID:
            raise ErasureError(f"erase: an id must have 1 to {LONGEST_ID} characters; got {one[:40]!r}")
    return found


def preview(places: Places, ids: Iterable[str]) -> dict[str, Found]:
    """The files of events that name people, by store and path, and how often; nothing is changed."""
    return _named(places, People(checked(ids)))


def erase(places: Places, ids: Iterable[str], earliest_of: Callable[[Settings], Offsets] = earliest_offsets) -> Journal:
    """Erase people; the certificate. ErasureError where it can't go on, and then it goes on when it is called again.

    `earliest_of` says where Kafka's log begins.
    """
    people, key = checked(ids), places.settings.erasure_key
    if not key:
        raise ErasureError("setting ERASURE_KEY: must be set to erase people, and be kept; got ''")
    journal = Journal.begun(places.raw, key, people)
    erasures = add_people(places.raw, key, people)
    journal = replace(journal, version=journal.version or erasures.version).written(places.raw)
    looked = People(people)
    journal = _relieved(places, looked, journal)
    journal = _run_without(places, journal)
    journal = _drop_runs(places, people, journal)
    _drop_deltas(places, journal.version)
    collectors = followed_by_collectors(places.settings, journal.version)
    journal = replace(journal, collectors=collectors).written(places.raw)
    journal = _leave_identity(places, people, journal)
    return _certified(places, people, journal, earliest_of)


def again(places: Places, erasures: Erasures) -> dict[str, Found]:
    """Relieve what is at rest of everyone who was erased, as after a backup was restored; the files that named them."""
    found = _named(places, erasures)
    for name in found:
        _relieve(places, erasures, name)
    return found


def _named(places: Places, people: Looked) -> dict[str, Found]:
    found = {}
    for name, store in places.event_stores.items():
        progress(f"looking into {name}")

        def look(path: str, store: Store = store) -> Found:
            return parted(unpacked(path, store.read(path)), people, topic_of(path))[2]

        for path, account in each(look, event_files(store)):
            if account.lines:
                found[f"{name}/{path}"] = account
    return found


def _relieved(places: Places, people: People, journal: Journal) -> Journal:
    """The journal with every file that named them, once none does any more."""
    journal = journal.with_objects(_named(places, people)).written(places.raw)
    for number, name in enumerate(journal.objects, 1):
        progress("rewriting files", f"{number} of {len(journal.objects)}")
        _relieve(places, people, name)
    return journal


def _relieve(places: Places, people: Looked, name: str) -> None:
    store, _, path = name.partition("/")

    def change(data: bytes) -> bytes | None:
        rest, theirs, _ = parted(data, people, topic_of(path), kept=store == "raw")
        return rest if theirs else None

    rewrite(places.event_stores[store], path, change)


def _run_without(places: Places, journal: Journal) -> Journal:
    """Publish a run that was made by these tombstones; topics whose state is by now aren't computed again."""
    run = new_run()
    progress(f"computing run {run}")
    results = compute(run, list(JOBS), False, places.raw, places.batch, places.settings)
    if results:
        publish(places.batch, run, results)
    published = current(places.batch)[0]
    if age(published.erased) < age(journal.version):
        raise ErasureError(f"run {published.run}: must be made without the erased; run the command again")
    return replace(journal, run=published.run).written(places.raw)


def _drop_runs(places: Places, people: list[str], journal: Journal) -> Journal:
    """Older runs go, with what else is left of them below the batch views."""
    progress("dropping older runs")
    old = [manifest.run for manifest in kept_runs(places.batch) if age(manifest.erased) < age(journal.version)]
    journal = replace(journal, dropped_runs=sorted({*journal.dropped_runs, *old})).written(places.raw)
    drop_runs_before(places.batch, journal.version)
    needed = current(places.batch)[0].folders
    for path in remains_in(places.batch, Sought(people))[0]:
        folder = path.rpartition("/")[0]
        if path.startswith("_unreadable/"):
            rewrite(places.batch, path, lambda data: parted(data, People(people), "", kept=False)[0])
        elif "/run=" in path and folder not in needed:  # of a run that was stopped, or isn't published any more
            places.batch.delete([path])
    return journal


def _drop_deltas(places: Places, version: str) -> None:
    """Wait until the speed layer has dropped the deltas with them; where none runs, drop them here."""
    deadline = time.monotonic() + FOLLOW_SECONDS
    while older := [d for d in read_deltas(places.speed) if age(d.erased) < age(version)]:
        alive = read_alive(places.speed)
        if alive is None or alive.gone:
            drop_manifests(places.speed, older)
            break
        progress("waiting for the speed layer")
        if time.monotonic() > deadline:
            raise ErasureError(
                f"speed layer: must follow run within {FOLLOW_SECONDS:.0f} s; has {len(older)} old deltas"
            )
        time.sleep(POLL_SECONDS)
    alive = read_alive(places.speed)
    if alive is None or alive.gone:
        used = {path for delta in read_deltas(places.speed) for path in (delta.data, delta.ids)}
        files = [e.path for folder in ("data/", "ids/", "id_segments/") for e in places.speed.list(folder)]
        places.speed.delete([path for path in files if path not in used])


def _leave_identity(places: Places, people: list[str], journal: Journal) -> Journal:
    """Take them out of roster and advisers' events, revoke the keys that stand for them, and end the logins that name
    them, so those of who advises them; the disclosure log forgets.
    """
    progress("roster, keys and logins")
    roster = read_roster(places.identity)[0]
    # Of who teaches, the values are courses, of which one may have the name of a person.
    entries = sum(person in people for links in (roster.teaches, roster.advises) for person in links)
    entries += sum(len(values & {*people}) for values in roster.advises.values())
    keys = [key for key in api_keys.list_keys(places.identity) if key.person in people]
    logins = list(naming(places.identity, people))
    journal = replace(
        journal,
        roster_entries=max(journal.roster_entries, entries),
        keys_revoked=max(journal.keys_revoked, len(keys)),
        logins_ended=max(journal.logins_ended, len(logins)),
    ).written(places.raw)
    if entries:
        teaches = {person: courses for person, courses in roster.teaches.items() if person not in people}
        advises = {p: kept for p, of in roster.advises.items() if p not in people and (kept := of - {*people})}
        write_roster(places.identity, teaches, advises)
    api_keys.forget(places.identity, people)
    places.identity.delete(logins)
    forget_advice(places.identity, people)
    forget_thresholds(places.identity, people)
    forget(places.disclosure, {*people})
    return journal


def _certified(
    places: Places, people: list[str], journal: Journal, earliest_of: Callable[[Settings], Offsets]
) -> Journal:
    progress("searching every byte at rest")
    found, searched, named = remains(places, people)
    if named:
        raise ErasureError(f"erase: nothing made of events must name them; '{named[0]}' does: run the command again")
    kafka = still_in_kafka(places.settings, journal.objects, earliest_of)
    return replace(journal, remains=found, objects_searched=searched, kafka=kafka).finished(places.raw)
