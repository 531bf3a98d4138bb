"""Pods' limits hold what the settings let their processes take: the rules of docs/deployment-guide.md, "Sizing"."""

from __future__ import annotations

import re

import pytest
import yaml

from deployment.installation import CONFIG
from runtime.settings import MEMORY, MEMORY_UNITS
from tests.kubernetes.test_manifests import pods, printed

UNITS = {"g": 2**30, "m": 2**20, "Gi": 2**30, "Mi": 2**20}
# What Java takes beside its heap, and Python in the driver and in the workers.
SPARK_REST = 0.6e9
SERVING_REST = 0.5e9
OOZIE, LAUNCHER, SIDE_BY_SIDE = 1.6e9, 0.2e9, 2


def size(text: str) -> float:
    """Bytes of a size as Kubernetes (2Gi), Spark (2g) or our settings (2GB) say it."""
    ours = MEMORY.fullmatch(text)
    if ours:
        return float(ours[1]) * MEMORY_UNITS[ours[2]]
    theirs = re.fullmatch(r"(\d+)([A-Za-z]+)", text)
    assert theirs, text
    number, unit = theirs.groups()
    return int(number) * UNITS[unit]


def told(place: str, name: str) -> tuple[dict[str, str], float]:
    """Variables and memory limit of a pod's only container."""
    (container,) = next(pod for _, found, pod in pods(place) if found == name)["containers"]
    variables = {v["name"]: v["value"] for v in container["env"] if "value" in v}
    return variables, size(container["resources"]["limits"]["memory"])


@pytest.mark.parametrize("place", ["small", "local", "minikube", "cluster"])
def test_serving_has_room_for_two_generations(place):
    variables, limit = told(place, "serving")
    assert 2 * size(variables["SERVING_MEMORY"]) + SERVING_REST <= limit


def test_serving_has_as_much_room_in_compose():
    found = yaml.safe_load((CONFIG / "docker-compose.yml").read_text())
    limit = size(found["services"]["serving"]["mem_limit"])
    assert 2 * size(found["x-settings"]["SERVING_MEMORY"]) + SERVING_REST <= limit


def run(variables: dict[str, str]) -> float:
    """What a batch run takes at most."""
    master = re.fullmatch(r"local\[(\d+)\]", variables["SPARK_MASTER"])
    assert master, variables["SPARK_MASTER"]
    tasks = int(master[1])
    heap, task = (size(variables[name]) for name in ("SPARK_DRIVER_MEMORY", "TASK_MEMORY"))
    return heap + tasks * task + SPARK_REST


@pytest.mark.parametrize("place", ["small", "local", "minikube"])
def test_a_batch_pod_has_room_for_its_tasks(place):
    variables, limit = told(place, "batch")
    assert run(variables) <= limit


def test_oozie_has_room_for_its_jobs():
    variables, limit = told("oozie", "oozie")
    assert OOZIE + SIDE_BY_SIDE * (LAUNCHER + run(variables)) <= limit


def test_an_executor_has_room_for_its_tasks_and_a_driver_for_itself():
    variables, limit = told("cluster", "batch")
    assert size(variables["SPARK_DRIVER_MEMORY"]) + SPARK_REST <= limit
    text = next(d for d in printed("cluster") if d["metadata"]["name"].startswith("executors-"))["data"][
        "executors.conf"
    ]
    found = dict(re.findall(r"^spark\.executor\.(\w+) +(\S+)$", text, re.M))
    heap, beside = size(found["memory"]), size(found["memoryOverhead"])
    assert int(found["cores"]) * size(variables["TASK_MEMORY"]) + SPARK_REST <= beside, heap
