"""Rules that every manifest keeps, read from what `kubectl kustomize` prints."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from catalogue.events.unmapped import COLLECTED
from deployment.kubernetes.binaries import programs
from deployment.pins import image, pins
from runtime.settings import declared
from tests.kubernetes.conftest import EVERYWHERE, FOLDER, PLACES

WORKLOADS = ("Deployment", "StatefulSet", "Job", "CronJob")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
NO_SETTINGS = {"HOME", "POD_IP", "POD_NAME", "OOZIE_URL"}
# What is deployed beside a platform, not a platform.
BESIDE = {"producer", "projection"}
KEEPERS = {"ingestion", "speed", "batch", "retention", "serving", "oozie"}
EXECUTORS = {"spark.executor.instances": "3", "spark.executor.cores": "2"}


def kustomized(folder: Path) -> str:
    """What `kubectl kustomize` prints for a folder."""
    command = [str(programs("kubectl")["kubectl"]), "kustomize", str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@cache
def printed(place: str) -> tuple[dict, ...]:
    """The manifests of a place."""
    return tuple(yaml.safe_load_all(kustomized(EVERYWHERE[place])))


def pods(place: str) -> Iterator[tuple[str, str, dict]]:
    """Kind and name of each workload, and the pod that it makes."""
    for document in printed(place):
        if document["kind"] in WORKLOADS:
            spec = document["spec"]
            spec = spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec
            yield document["kind"], document["metadata"]["name"], spec["template"]["spec"]


def containers(pod: dict) -> list[dict]:
    """The containers of a pod, those that run before the others included."""
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("place", EVERYWHERE)
def test_every_pod_runs_restricted_and_within_limits(place):
    for kind, name, pod in pods(place):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] and context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["enableServiceLinks"] is False, name
        assert pod["automountServiceAccountToken"] is (pod.get("serviceAccountName") == "spark-driver"), name
        for container in containers(pod):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False and own["capabilities"] == {"drop": ["ALL"]}, name
            assert own["readOnlyRootFilesystem"] or container["name"] == "kafka", name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name
        for container in pod["containers"] if kind in ("Deployment", "StatefulSet") else ():
            assert set(PROBES) <= container.keys(), name


@pytest.mark.parametrize("place", PLACES)
def test_jobs_end(place):
    for document in printed(place):
        if document["kind"] in ("Job", "CronJob"):
            job = document["spec"]["jobTemplate"]["spec"] if document["kind"] == "CronJob" else document["spec"]
            assert {"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"} <= job.keys()
        if document["kind"] == "CronJob":
            assert document["spec"]["concurrencyPolicy"] == "Forbid"


@pytest.mark.parametrize("place", EVERYWHERE)
def test_images_are_the_pinned_ones(place):
    pinned = {pins()[f"{n}_IMAGE"] for n in ("KAFKA", "MINIO", "PUSHGATEWAY")}
    pinned |= {image(n) for n in ("platform", "ingestion", "oozie")}
    own = {image("kafka"), image("minio")}
    for _, name, pod in pods(place):
        for container in containers(pod):
            assert container["image"] in (pinned | own if place == "local" else pinned), name
    kafka = [d for d in printed(place) if d["kind"] == "Kafka"]
    assert {d["spec"]["kafka"]["version"] for d in kafka} <= {pins()["KAFKA_IMAGE"].partition(":")[2]}


@pytest.mark.parametrize("place", ["cluster", "oozie"])
def test_an_overlay_over_another_names_every_image(place, tmp_path):
    """As README.md says to do it: what runs is from the overlay's registry, wherever a name of an image stands."""
    images = [
        {"name": image(name).partition(":")[0], "newName": f"registry.example/{name}", "newTag": "2.0.0"}
        for name in ("platform", "ingestion", "oozie")
    ]
    base = os.path.relpath(PLACES[place], tmp_path)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": [base], "images": images}))
    text = kustomized(tmp_path)
    assert not re.findall(r".*learning-analytics/(?:platform|ingestion|oozie).*", text)
    ours = [c for _, _, pod in pods(place) for c in containers(pod) if c["image"].startswith("learning-analytics/")]
    assert text.count("image: registry.example/") == len(ours) > 4


@pytest.mark.parametrize("place", PLACES)
def test_settings_are_known(place):
    known = {setting.name for setting in declared()}
    used = set()
    for document in printed(place):
        if document["kind"] == "ConfigMap" and document["metadata"]["name"].startswith("settings-"):
            used |= document["data"].keys()
    for _, name, pod in pods(place):
        for container in pod["containers"]:
            if "learning-analytics/" in container["image"] and name not in ("kafka", "minio"):
                used |= {v["name"] for v in container.get("env", [])} - NO_SETTINGS
                arguments = " ".join(container.get("args", []))
                used |= set(re.findall(r"\$\(([A-Z_]+)\)", arguments)) - NO_SETTINGS
    assert used <= known, used - known


@pytest.mark.parametrize("place", EVERYWHERE)
def test_no_manifest_holds_a_secret(place):
    assert not [d for d in printed(place) if d["kind"] == "Secret"]


@pytest.mark.parametrize("place", PLACES)
def test_who_reads_or_writes_what_is_kept_knows_who_was_erased(place):
    """Without the key a layer brings people back, or stops; `secrets.sh` gives it to every namespace that asks."""
    given = re.search(r"^readers=\((.*)\)$", (FOLDER / "secrets.sh").read_text(), re.M)[1].split()
    for _, name, pod in pods(place):
        if name in KEEPERS:
            for container in pod["containers"]:
                assert {"secretRef": {"name": "erasure-key"}} in container["envFrom"], name
    asked = {d["metadata"]["namespace"] for d in printed(place) if "erasure-key" in str(d)}
    assert asked <= {*given}
    assert place in BESIDE or {"spark", "serving"} <= asked


@pytest.mark.parametrize("place", PLACES)
def test_what_is_too_old_goes_daily(place):
    found = [d for d in printed(place) if d["kind"] == "CronJob" and d["metadata"]["name"] == "retention"]
    assert len(found) == (place not in BESIDE)
    for spec in (d["spec"] for d in found):
        assert re.fullmatch(r"\d+ \d+ \* \* \*", spec["schedule"])
        told = [c["args"] for c in spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]]
        assert told == [["learn", "retention"]]
        assert spec.get("suspend", False) == (place == "oozie"), "there Oozie's workflow does it"


@pytest.mark.parametrize("place", PLACES)
def test_minio_s_console_is_off_the_network(place):
    for document in printed(place):
        if document["kind"] == "Service" and document["metadata"]["name"] == "minio":
            assert [port["port"] for port in document["spec"]["ports"]] == [9000]
    for _, name, pod in pods(place):
        if name == "minio":
            (container,) = pod["containers"]
            assert {"name": "MINIO_BROWSER", "value": "off"} in container["env"]
            assert [port["containerPort"] for port in container["ports"]] == [9000]
            assert "console" not in str(container["args"])


@pytest.mark.parametrize("place", PLACES)
def test_every_namespace_is_closed_by_a_policy_and_enforces_restricted_pods(place):
    namespaces = {d["metadata"]["name"]: d for d in printed(place) if d["kind"] == "Namespace"}
    assert namespaces
    for name, document in namespaces.items():
        assert document["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        policies = [d for d in printed(place) if d["kind"] == "NetworkPolicy" and d["metadata"]["namespace"] == name]
        closed = any(p["spec"]["podSelector"] == {} and len(p["spec"]["policyTypes"]) == 2 for p in policies)
        # Strimzi's operator writes policies for its own pods, from the peers of each listener.
        listeners = [x for d in printed(place) if d["kind"] == "Kafka" for x in d["spec"]["kafka"]["listeners"]]
        assert closed or (name == "kafka" and listeners and all(x["networkPolicyPeers"] for x in listeners)), name


@pytest.mark.parametrize("place", ["small", "minikube", "cluster"])
def test_serving_stays_reachable_while_the_store_is_away(place):
    """/health/ready is 503 then, in every replica; /health/started is 200 from the first state on."""
    serving = next(pod for _, name, pod in pods(place) if name == "serving")["containers"][0]
    assert serving["readinessProbe"]["httpGet"]["path"] == "/health/started"
    assert {serving[probe]["httpGet"]["path"] for probe in PROBES[::2]} == {"/health/live"}


def test_one_writer_each():
    for place in ("small", "minikube", "cluster"):
        found = {d["metadata"]["name"]: d["spec"] for d in printed(place) if d["kind"] == "StatefulSet"}
        assert found["ingestion"]["replicas"] == found["speed"]["replicas"] == 1


def test_strimzi_makes_the_topics_of_the_catalogue():
    for place in ("minikube", "cluster"):
        topics = {d["spec"]["topicName"]: d["spec"] for d in printed(place) if d["kind"] == "KafkaTopic"}
        assert {name: spec["partitions"] for name, spec in topics.items()} == {
            t.name: t.partitions for t in COLLECTED.values()
        }
        pools = [d["spec"]["replicas"] for d in printed(place) if d["kind"] == "KafkaNodePool"]
        assert pools == [3] and {spec["replicas"] for spec in topics.values()} == {3}


@pytest.mark.parametrize(("place", "path"), [("minikube", "/data/kafka-"), ("cluster", "/mnt/kafka")])
def test_each_kafka_node_has_a_volume(place, path):
    volumes = [d["spec"] for d in printed(place) if d["kind"] == "PersistentVolume"]
    assert len(volumes) == 3 and all(v["local"]["path"].startswith(path) for v in volumes)
    pool = next(d["spec"] for d in printed(place) if d["kind"] == "KafkaNodePool")
    assert {v["storageClassName"] for v in volumes} == {pool["storage"]["volumes"][0]["class"]}


def test_executors_are_three_of_two_cores_and_four_gigabytes():
    config = next(d for d in printed("cluster") if d["metadata"]["name"].startswith("executors-"))
    lines = config["data"]["executors.conf"].splitlines()
    values = dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))
    assert values.items() >= EXECUTORS.items()
    memory = [values[f"spark.executor.{name}"].removesuffix("g") for name in ("memory", "memoryOverhead")]
    assert sum(map(int, memory)) == 4
