"""What Prometheus' operator is given: by its own types, in step with the alert rules and with what pods offer."""

from __future__ import annotations

import json
import os
import re
import subprocess
from urllib.parse import urlsplit

import pytest
import yaml

from deployment.installation import CONFIG, tool
from deployment.kubernetes.alert_rules import FILE, RULES, prometheus_rule
from deployment.local_stack import MONITORING
from tests.kubernetes.conftest import FOLDER, ROOT
from tests.kubernetes.test_api_server import STRICT
from tests.kubernetes.test_manifests import kustomized, pods, printed

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
MONITORS = list(yaml.safe_load_all((FOLDER / "monitoring" / "pod-monitors.yaml").read_text()))


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """The operator's types as a program that judges manifests."""
    target = tmp_path_factory.mktemp("checker") / "monitoring"
    command = [tool("go", "Go"), "build", "-o", str(target), "."]
    subprocess.run(command, cwd=CONFIG / "kubernetes" / "monitoring", check=True, timeout=600)

    def check(*documents: dict) -> str:
        lines = "".join(json.dumps(d) + "\n" for d in documents)
        return subprocess.run([target], input=lines, capture_output=True, text=True, timeout=60).stderr

    return check


def test_the_operator_takes_them(checker):
    rule = yaml.safe_load(FILE.read_text())
    assert checker(rule, *MONITORS) == ""
    assert 'unknown field "expression"' in checker(json.loads(json.dumps(rule).replace('"expr"', '"expression"')))
    assert 'unknown field "portName"' in checker(json.loads(json.dumps(MONITORS[0]).replace('"port"', '"portName"')))


def test_the_rules_are_those_of_prometheus():
    assert FILE.read_text() == prometheus_rule(), "run `make docs`"
    assert yaml.safe_load(FILE.read_text())["spec"] == yaml.safe_load(RULES.read_text())


def offered(*places: str) -> dict[tuple[str, str], dict[str, int]]:
    """Ports by name of the pods of the places, by namespace and name of the pod."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for document in (d for place in places for d in printed(place)):
        if document["kind"] in ("Deployment", "StatefulSet", "Job"):
            template = document["spec"]["template"]
            ports = {p["name"]: p["containerPort"] for c in template["spec"]["containers"] for p in c.get("ports", [])}
            found[document["metadata"]["namespace"], template["metadata"]["labels"]["app.kubernetes.io/name"]] = ports
    return found


def scraped() -> list[tuple[str, str, str]]:
    """Namespace, name and port of the pods that each monitor looks for."""
    found = []
    for monitor in MONITORS:
        spec = monitor["spec"]
        namespace = spec.get("namespaceSelector", {}).get("matchNames", [monitor["metadata"]["namespace"]])[0]
        found.append(
            (namespace, spec["selector"]["matchLabels"][spec["jobLabel"]], spec["podMetricsEndpoints"][0]["port"])
        )
    return found


def test_monitors_find_pods_and_ports():
    """Strimzi's pods, which no manifest shows, have the plain broker's names."""
    there = offered("small", "cluster", "producer", "projection", "monitoring")
    assert not [(namespace, name) for namespace, name, port in scraped() if port not in there[namespace, name]]
    assert {m["metadata"]["name"] for m in MONITORS} == {name for _, name, _ in scraped()}


def test_everything_that_alerts_and_dashboards_name_is_scraped():
    jobs = {
        job["job_name"]
        for job in yaml.safe_load((MONITORING / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    }
    assert {name for _, name, _ in scraped()} == jobs
    honoring = [m["metadata"]["name"] for m in MONITORS if m["spec"]["podMetricsEndpoints"][0].get("honorLabels")]
    assert honoring == ["pushgateway"]


def allowed(policies: list[dict], way: str, source: str, port: int) -> bool:
    """Whether one of the policies lets the namespace `source` through to the port; `way` is ingress or egress."""
    peer = {"ingress": "from", "egress": "to"}[way]
    for rule in (r for p in policies for r in p["spec"].get(way, [])):
        names: list[str] = []
        for selector in (x["namespaceSelector"] for x in rule.get(peer, []) if "namespaceSelector" in x):
            names += selector.get("matchLabels", {}).values()
            names += [v for e in selector.get("matchExpressions", []) for v in e["values"]]
        if source in names and port in {p["port"] for p in rule.get("ports", [])}:
            return True
    return False


def test_policies_let_prometheus_and_batch_runs_through():
    places = ("small", "cluster", "oozie", "producer", "projection", "monitoring")
    policies = [d for place in places for d in printed(place) if d["kind"] == "NetworkPolicy"]
    own = {space: [p for p in policies if p["metadata"]["namespace"] == space] for space, _, _ in scraped()}
    for namespace, name, port in scraped():
        number = offered("small", "cluster", "producer", "projection", "monitoring")[namespace, name][port]
        assert allowed(own[namespace], "ingress", "monitoring", number), name
    gateway = urlsplit(
        next(d["data"]["BATCH_METRICS"] for d in printed("small") if "BATCH_METRICS" in d.get("data", {}))
    )
    service = next(d for d in printed("monitoring") if d["kind"] == "Service")["metadata"]
    assert gateway.hostname == f"{service['name']}.{service['namespace']}.svc"
    assert gateway.port == offered("monitoring")["monitoring", "pushgateway"]["http"]
    for namespace in ("spark", "oozie"):
        leaving = [p for p in policies if p["metadata"]["namespace"] == namespace]
        assert allowed(leaving, "egress", "monitoring", gateway.port), namespace
        assert allowed(own["monitoring"], "ingress", namespace, gateway.port), namespace


def test_the_pushgateway_is_accepted(server):
    ours = [d for d in printed("monitoring") if not d["apiVersion"].startswith("monitoring.coreos.com/")]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring", "labels": RESTRICTED}}
    server.do("apply", "-f", "-", stdin=yaml.safe_dump(space))
    done = server.kubectl(*STRICT, stdin=yaml.safe_dump_all(ours))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_label_that_a_chart_selects_by_can_be_added(tmp_path):
    """As docs/monitoring.md says it."""
    line = re.search(r"^    (labels: .*)$", (ROOT / "docs" / "monitoring.md").read_text(), re.M)[1]
    base = yaml.safe_dump({"resources": [os.path.relpath(FOLDER / "monitoring", tmp_path)]})
    (tmp_path / "kustomization.yaml").write_text(f"{base}{line}\n")
    found = list(yaml.safe_load_all(kustomized(tmp_path)))
    assert {d["kind"] for d in found} >= {"PodMonitor", "PrometheusRule"}
    assert {d["metadata"]["labels"].get("release") for d in found} == {"NAME"}
    assert not [d for d in found if "release" in str(d["spec"])]


def test_the_plain_broker_is_watched_as_in_compose():
    """The same agent with the same rules, from the image that has it, at Strimzi's port."""
    pod = next(pod for _, name, pod in pods("small") if name == "kafka")
    options = next(v["value"] for v in pod["containers"][0]["env"] if v["name"] == "KAFKA_OPTS")
    compose = yaml.safe_load((CONFIG / "docker-compose.yml").read_text())["services"]["kafka"]
    here, there = (
        re.fullmatch(r"-javaagent:(.+)=(\d+):.*kafka-jmx.yml", x)
        for x in (options, compose["environment"]["KAFKA_OPTS"])
    )
    assert here and there and here[1] == there[1]
    assert int(here[2]) == offered("small")["kafka", "kafka"]["tcp-prometheus"]
    rules = next(d for d in printed("small") if d["metadata"]["name"] == "kafka-jmx")
    assert rules["data"]["kafka-jmx.yml"] == (MONITORING / "kafka-jmx.yml").read_text()


def test_every_metrics_port_is_the_one_of_the_settings():
    port = next(d["data"]["METRICS_PORT"] for d in printed("small") if "METRICS_PORT" in d.get("data", {}))
    for place in ("small", "cluster", "producer"):
        for _, name, pod in pods(place):
            for container in pod["containers"]:
                for offered in container.get("ports", []):
                    assert offered["name"] != "metrics" or str(offered["containerPort"]) == port, name
