"""The overlay without an operator, run: from `kubectl apply -k` to a merged answer; every kind of pod is lost once."""

from __future__ import annotations

import os
import time
from functools import partial

from tests.cluster.platform import NAMESPACES, Platform, count, wait

GENERATED = ("--events", "5000", "--seed", "1", "--late", "0.05", "--duplicates", "0.02", "--invalid", "0.01")
LIVE = ("--duration", "150", "--rate", "40", "--duplicates", "0.02", "--invalid", "0.01")
DEPLOY = ("deploy_minikube.sh", "local", "--no-start", "--events", "0")
MEMORY_MB = 6000
# Longer than three failed readiness probes.
STORE_AWAY_SECONDS = 20
TIMES = int(os.environ.get("TIMES") or 1)
PARTS = [
    ("kafka", "kafka", 1),
    ("minio", "minio", 1),
    ("spark", "ingestion", 1),
    ("spark", "speed", 1),
    ("serving", "serving", 2),
]


def test_platform(platform, capsys):
    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", end="", flush=True)

    started = time.monotonic()
    platform.script(*DEPLOY)
    platform.produce("first", *GENERATED)
    all_ready(platform)
    up = time.monotonic() - started
    sent = platform.sent("first")
    with platform.forwarded():
        wait("the first answer", lambda: platform.events() == sent, told=platform.problem)
        say(f"every pod ready in {up:.0f} s, {sent} events answered after {time.monotonic() - started:.0f} s")
        before = platform.rows()
        assert sum(map(len, before.values())) > 100
        wait("ingestion", lambda: platform.landed() == sent, told=platform.problem)

        said = platform.scraped("kafka", "kafka-0", 9404)
        assert sum(end for name, end in said.items() if name.startswith("kafka_log_end_offset{")) == sent

        platform.watch()
        ran = time.monotonic()
        platform.batch("first")
        platform.done("spark", "first")
        say(f"batch Job: {time.monotonic() - ran:.0f} s")
        wait("the run", lambda: platform.get("/freshness")["run"], told=platform.problem)
        assert count(platform.get("/freshness")["cut"]) == sent
        assert platform.rows() == before, "a batch run changes no answer"
        assert "dropped 0 raw files" in platform.retain(), "nothing is old enough"
        left = platform.scraped("monitoring", platform.name("monitoring", "pushgateway"), 9091)
        assert sum(end for name, end in left.items() if name.startswith("batch_cut_offset{")) == sent
    used = platform.memory()
    say("memory in MB: " + ", ".join(f"{name} {mb:.0f}" for name, mb in sorted(used.items())))
    assert sum(used.values()) < MEMORY_MB

    back = [store_away(platform, before) for _ in range(TIMES)]
    took = ", ".join(f"{seconds:.0f}" for seconds in back)
    say(f"the store away: every replica stayed ready and answered, and had the newest {took} s after it was back")

    platform.produce("live", *LIVE)
    with platform.forwarded():
        wait("the live producer's first events", lambda: platform.events() > sent, told=platform.problem)
    for namespace, name, pods in PARTS:
        say(f"{name} lost: another ready after {platform.lose(namespace, name, pods):.0f} s")
    total = sent + platform.sent("live")
    with platform.forwarded():
        wait("all events", lambda: platform.events() == total, told=platform.problem)
        say(f"{total} events sent, {platform.events()} answered: none lost, none twice")
        before = platform.rows()
        wait("ingestion", lambda: platform.landed() == total, told=platform.problem)
        platform.batch("second")
        wait("its pod", lambda: platform.pods("spark", "batch"))
        platform.cluster.do("-n", "spark", "delete", "pod", "--force", "--grace-period=0", "-l", "job-name=second")
        platform.done("spark", "second")
        wait("the run", lambda: count(platform.get("/freshness")["cut"]) == total, told=platform.problem)
        assert platform.rows() == before, "a batch run changes no answer"
        ledger = platform.get("/freshness")["ledger"]
        entries = [entry for partitions in ledger.values() for entry in partitions.values()]
        assert all(e["landed"] == e["counted"] + e["duplicate"] + e["invalid"] for e in entries)
        say("batch lost: its Job made another; the ledger closes")

    platform.script("cleanup_minikube.sh")
    assert not any(platform.pods(namespace, name) for namespace, name, _ in PARTS)
    platform.script(*DEPLOY)
    all_ready(platform)
    with platform.forwarded():
        assert platform.events() == total and platform.rows() == before, "taken down and deployed again: nothing lost"
    platform.leave_topics_behind()
    assert platform.script("cleanup_minikube.sh", "--data") == [
        "ssh -- sudo rm -rf /data/kafka-0 /data/kafka-1 /data/kafka-2"
    ]
    assert not set(NAMESPACES) & set(
        platform.cluster.do("get", "namespaces", "-o", "name").replace("namespace/", "").split()
    )


def store_away(platform: Platform, rows: dict[str, list[dict]]) -> float:
    """Take MinIO's pod away for a while; seconds from its being given back until serving is ready again."""
    platform.scale("minio", "deployment/minio", 0)
    with platform.forwarded():
        wait("it to be told", lambda: platform.status("/health/ready") == 503, told=platform.problem)
        time.sleep(STORE_AWAY_SECONDS)
        assert platform.ready("serving", "serving", 2), "serving stays in its Service while the store is away"
        assert platform.rows() == rows, "the last good state is served"
        platform.scale("minio", "deployment/minio", 1)
        given = time.monotonic()
        wait("the store", lambda: platform.status("/health/ready") == 200, told=platform.problem)
        ready = time.monotonic() - given
    all_ready(platform)
    return ready


def all_ready(platform: Platform) -> None:
    for namespace, name, pods in PARTS:
        wait(f"{name} to be ready", partial(platform.ready, namespace, name, pods))
