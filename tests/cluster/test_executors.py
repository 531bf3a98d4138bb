"""Ingestion and batch with executors of their own, pods beside their driver's: one is killed in the middle of a run."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.platform import NAMESPACES, Platform, count, wait
from tests.cluster.test_small_platform import DEPLOY, GENERATED, all_ready

OVERLAY = Path(__file__).parent / "executors"


def executors(platform: Platform, app: str) -> list[str]:
    """Names of the executors of a driver that run."""
    chosen = f"spark-role=executor,spark-app-name={app}"
    listed = platform.cluster.do("-n", "spark", "get", "pods", "-l", chosen, "-o", "json")
    return [
        pod["metadata"]["name"]
        for pod in json.loads(listed)["items"]
        if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
    ]


def test_a_run_outlives_an_executor(platform: Platform) -> None:
    platform.script(*DEPLOY)
    platform.cluster.do("apply", "-k", str(OVERLAY))
    all_ready(platform)
    wait("ingestion's executors", lambda: len(executors(platform, "ingestion")) == 2)
    platform.produce("executors", *GENERATED)
    sent = platform.sent("executors")
    with platform.forwarded():
        wait("the answers", lambda: platform.events() == sent, told=platform.problem)
        before = platform.rows()
        wait("ingestion", lambda: platform.landed() == sent)
        platform.batch("executors")
        first = wait("an executor of the run", lambda: executors(platform, "batch"))[0]
        platform.cluster.do("-n", "spark", "delete", "pod", "--force", "--grace-period=0", first)
        platform.done("spark", "executors")
        wait("the run", lambda: count(platform.get("/freshness")["cut"]) == sent)
        assert platform.rows() == before, "a batch run changes no answer"
    platform.script("cleanup_minikube.sh", "--data")
    wait("everything to be gone", lambda: not set(NAMESPACES) & _namespaces(platform))


def _namespaces(platform: Platform) -> set[str]:
    return set(platform.cluster.do("get", "namespaces", "-o", "name").replace("namespace/", "").split())
