"""What Prometheus' operator is given: by its own types, in step with the alert rules and with what pods offer."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from deployment.installation import CONFIG, tool
from deployment.kubernetes.alert_rules import FILE, RULES, prometheus_rule
from tests.kubernetes.conftest import FOLDER
from tests.kubernetes.test_manifests import pods, printed

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


def test_monitors_find_pods_and_ports():
    offered = {}
    for place in ("cluster", "producer"):
        for document in printed(place):
            if document["kind"] in ("Deployment", "StatefulSet", "Job"):
                template = document["spec"]["template"]
                ports = {p["name"] for c in template["spec"]["containers"] for p in c.get("ports", [])}
                name = template["metadata"]["labels"]["app.kubernetes.io/name"]
                offered[document["metadata"]["namespace"], name] = ports
    for monitor in MONITORS:
        spec = monitor["spec"]
        if monitor["metadata"]["name"] == "kafka":
            continue  # Strimzi makes these pods
        found = offered[spec["namespaceSelector"]["matchNames"][0], spec["selector"]["matchLabels"][spec["jobLabel"]]]
        assert spec["podMetricsEndpoints"][0]["port"] in found
    assert {m["metadata"]["name"] for m in MONITORS} == {"ingestion", "speed", "serving", "producer", "minio", "kafka"}


def test_every_metrics_port_is_the_one_of_the_settings():
    port = next(d["data"]["METRICS_PORT"] for d in printed("small") if d["kind"] == "ConfigMap")
    for place in ("small", "cluster", "producer"):
        for _, name, pod in pods(place):
            for container in pod["containers"]:
                for offered in container.get("ports", []):
                    assert offered["name"] != "metrics" or str(offered["containerPort"]) == port, name
