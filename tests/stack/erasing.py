"""People who are erased while everything runs: `python -m tests.stack.erasing` does it for longer than the test.

Ingestion, speed and serving run under load, batch runs come in between, and `learn erase` is killed and given again.
Afterwards nothing at rest names them, unpacked, nor does any answer, and everyone else's views are the oracle's.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import io
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx
import pyarrow.parquet as pq

from catalogue.at_rest.raw_files import landed_head
from catalogue.at_rest.runs import current
from catalogue.views import VIEWS
from catalogue.views.windows import WINDOWS
from deployment.local_stack import LocalStack
from runtime.storage.opening import open_store
from tests.deployment.persons.keeping import names
from tests.oracle.histories import landed
from tests.oracle.validity import parse
from tests.stack.faults import SETTINGS, TROUBLE
from tests.stack.layers import LIMIT, ROOT, Layers, Oracle, ends, in_kafka, reaches

STUDENTS = ("--students", "60", "--courses", "4")
LAYERS = ("speed", "ingestion", "serving")
# Longer than others wait: processes of Spark and Python start beside each other.
PATIENCE = 2 * LIMIT
# A batch run that began before somebody was erased says so, and isn't published.
OVERTAKEN = "somebody was erased since the run began"


class Erasing:
    """A platform under load, from which people are erased. Its processes' scratch is `scratch`."""

    def __init__(self, stack: LocalStack, folder: Path, seed: int):
        self.stack, self.rng, self.seed = stack, Random(seed), seed
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        kept = {"IDENTITY": "s3a://bucket-0/layers/identity", "DISCLOSURE_LOG": "s3a://bucket-0/layers/disclosure"}
        here = {"TMPDIR": str(self.scratch)}
        self.layers = Layers(stack, folder, **SETTINGS, **kept, **here)
        self.gone: list[str] = []
        self.faults: list[str] = []  # of what ran beside
        self.producer: subprocess.Popen | None = None

    def start(self, events: int) -> None:
        """Start every layer, and have `events` landed, in answers, and in a batch run; more come from then on."""
        self.layers.start(*LAYERS)
        options = ["--events", str(events), "--seed", str(self.seed), *STUDENTS, *TROUBLE]
        command = [sys.executable, "ingestion_layer/producer.py", *options]
        subprocess.run(command, cwd=ROOT, env=self.layers.environ, check=True, capture_output=True, timeout=LIMIT)
        head = ends(self.stack)
        self.landed(head)
        self.layers.run_batch()
        self.layers.wait(head, run=current(self.layers.batch)[0].run)
        live = ["--rate", "20", "--seed", str(self.seed + 1), *STUDENTS, *TROUBLE]
        with open(self.layers.folder / "producer.log", "ab") as log:
            command = [sys.executable, "ingestion_layer/producer.py", *live]
            self.producer = subprocess.Popen(command, cwd=ROOT, env=self.layers.environ, stdout=log, stderr=log)
        self.layers.wait(_one_more(head))

    def stop(self) -> None:
        """End everything."""
        self.quiet()
        self.layers.stop()

    def quiet(self) -> None:
        """No more events."""
        if self.producer and self.producer.poll() is None:
            self.producer.terminate()
            self.producer.wait(60)

    def landed(self, head: dict[str, dict[str, int]]) -> None:
        """Wait until ingestion has landed everything below `head`."""
        deadline = time.monotonic() + PATIENCE
        while not reaches(landed_head(self.layers.raw), head):
            assert time.monotonic() < deadline, self.layers.said("ingestion")
            self.layers.start("ingestion")
            time.sleep(0.2)

    def busiest(self) -> str:
        """Who has most events, of those that are there."""
        found: Counter[str] = Counter()
        for record in landed(in_kafka(self.stack)):
            user = parse(record.value).get("user_id")
            if isinstance(user, str) and user.startswith("SV") and user not in self.gone:
                found[user] += 1
        return found.most_common(1)[0][0]

    def _goes(self, person: str) -> None:
        if person not in self.gone:
            self.gone.append(person)

    def begin(self, person: str) -> subprocess.Popen:
        """`learn erase` of a person, as a process."""
        self._goes(person)
        command = [sys.executable, "-m", "deployment.command", "erase", "--user", person, "--json"]
        with open(self.layers.folder / "erase.log", "ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=self.layers.environ, stdout=log, stderr=log)

    def killed_while_it_rewrites(self, person: str) -> None:
        """Begin an erasure and kill it by SIGKILL once it has found the files that name the person."""
        process = self.begin(person)
        deadline = time.monotonic() + PATIENCE
        while not any('"objects": {"' in text for text in self._journals()):
            assert process.poll() is None and time.monotonic() < deadline, self.layers.said("erase")
            time.sleep(0.02)
        process.kill()
        process.wait(30)
        assert self._journals(), "it was killed midway"

    def _journals(self) -> list[str]:
        found = []
        for entry in self.layers.raw.list("_erasures/journal-"):
            with suppress(FileNotFoundError):
                found.append(json.dumps(json.loads(self.layers.raw.read(entry.path))))
        return found

    def layers_killed(self) -> None:
        """Kill every layer by SIGKILL, so that it leaves its scratch, and start it again."""
        for name in LAYERS:
            self.layers.kill(name)
        left = [path for path in _files(self.scratch) if self._in_file(path)]
        assert left, "what servers leave names them"
        self.layers.start(*LAYERS)

    def killed_anywhere(self, person: str) -> None:
        """Begin an erasure, with a batch run beside it, and kill it at any moment; it may have ended by then."""
        beside = threading.Thread(target=self._batch_beside)
        beside.start()
        process = self.begin(person)
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.rng.uniform(1.0, 15.0))
        process.kill()
        process.wait(30)
        beside.join(LIMIT)

    def _batch_beside(self) -> None:
        try:
            self.layers.run_batch()
        except AssertionError as error:
            if OVERTAKEN not in str(error):
                self.faults.append(str(error)[-2000:])

    def erased(self, person: str) -> dict:
        """Erase a person to the end; the certificate."""
        command = [sys.executable, "-m", "deployment.command", "erase", "--user", person, "--json"]
        environ = self.layers.environ
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=2 * LIMIT)
        assert done.returncode == 0, done.stderr[-3000:]
        assert not self._journals()
        self._goes(person)
        return dict(json.loads(done.stdout))

    def last_run(self) -> None:
        """A batch run over everything that was sent, and serving on it."""
        self.quiet()
        head = ends(self.stack)
        self.landed(head)
        self.layers.run_batch()
        self.layers.wait(head, run=current(self.layers.batch)[0].run)

    def check(self) -> str:
        """AssertionError where something names them, or an answer isn't what it must be; else what was looked at."""
        assert not self.faults, self.faults
        records = in_kafka(self.stack)
        theirs = {r for r in landed(records) if names(r, {*self.gone})}
        assert len(theirs) > 10 * len(self.gone), "they must have lived here"
        rest = Oracle([r for r in records if r not in theirs])
        rows = 0
        for view in VIEWS:
            found, as_of = self.layers.read(view)
            wrong = rest.wrong(view, found, as_of)
            assert not wrong, f"{view} must be as the oracle has it of the others; {wrong}"
            for layer in ("merged", "batch", "speed"):
                told = json.dumps(self.layers.read(view, layer)[0], default=str)
                assert not self._named(told), f"{view}, {layer}"
            rows += len(found)
        with httpx.Client(base_url=self.layers.address(), timeout=60) as client:
            for name in WINDOWS:
                assert not self._named(client.get(f"/realtime/{name}").raise_for_status().text), name
        self._ledger_closes(len(theirs))
        objects = self._nothing_at_rest()
        scratch = self._nothing_in_scratch()
        return f"{len(theirs)} events of {len(self.gone)} people, {rows} rows, {objects} objects, {scratch} files"

    def _ledger_closes(self, erased: int) -> None:
        ledger = self.layers.freshness()["ledger"]
        entries = [entry for partitions in ledger.values() for entry in partitions.values()]
        for entry in entries:
            fates = (entry.get(fate, 0) for fate in ("counted", "duplicate", "invalid", "erased"))
            assert entry["landed"] == sum(fates), entry
        assert sum(entry.get("erased", 0) for entry in entries) == erased

    def _nothing_at_rest(self) -> int:
        bucket = open_store("s3a://bucket-0", self.stack.settings)
        entries = bucket.list()
        for entry in entries:
            for text in unpacked(entry.path, bucket.read(entry.path)):
                assert not self._named(text) and not self._named(entry.path), entry.path
        return len(entries)

    def _nothing_in_scratch(self) -> int:
        """Servers let go of what they have in a minute, so this is waited for."""
        deadline = time.monotonic() + PATIENCE
        while found := [path for path in _files(self.scratch) if self._in_file(path)]:
            assert time.monotonic() < deadline, f"scratch must not name them; {found}"
            time.sleep(1)
        return len(list(_files(self.scratch)))

    def _in_file(self, path: Path) -> bool:
        try:
            return any(map(self._named, unpacked(path.name, path.read_bytes())))
        except OSError:  # gone meanwhile
            return False

    def _named(self, text: str) -> list[str]:
        either = "|".join(map(re.escape, self.gone))
        return re.findall(rf"(?<!\w)(?:{either})(?!\w)", text)


def events_of(certificate: dict) -> int:
    """How many raw events a certificate says were erased."""
    return sum(found["lines"] for path, found in certificate["objects"].items() if path.startswith("raw/"))


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path


def unpacked(path: str, data: bytes) -> Iterator[str]:
    """What an object or a file says, without what packs it: Parquet, gzip, base64 of the quarantine."""
    if path.endswith(".parquet"):
        yield json.dumps(pq.read_table(io.BytesIO(data)).to_pylist(), default=str)
        return
    if path.endswith(".gz"):
        data = gzip.decompress(data)
    yield data.decode("utf-8", "replace")
    for line in data.splitlines():
        if b'"value_encoding"' in line:
            yield base64.b64decode(json.loads(line)["value"]).decode("utf-8", "replace")


def _one_more(head: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Just beyond a head, in the partition that has most."""
    topic, partition, end = max(((t, p, e) for t, ps in head.items() for p, e in ps.items()), key=lambda one: one[2])
    return {topic: {partition: end + 1}}


def main() -> int:
    """Erase several people, one after the other, each killed several times; 0 when everything was right."""
    parser = argparse.ArgumentParser(prog="erasing", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--kills", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        stack = LocalStack(Path(name), free_ports=True)
        try:
            stack.up()
            erasing = Erasing(stack, Path(name), options.seed)
            try:
                erasing.start(5000)
                for number in range(options.people):
                    person = erasing.busiest()
                    for _ in range(options.kills):
                        erasing.killed_anywhere(person)
                    certificate = erasing.erased(person)
                    print(f"{number + 1}. {events_of(certificate)} events, run {certificate['run']}", flush=True)
                erasing.last_run()
                print(f"seed {options.seed}: right; {erasing.check()}")
            finally:
                erasing.stop()
        finally:
            stack.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
