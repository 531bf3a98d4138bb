"""What is said to Prometheus and Grafana agrees with what the processes tell."""

import json
import re
import subprocess

import pytest
import yaml

from deployment.local_stack import MONITORING, ROOT
from deployment.monitoring.dashboards import DASHBOARDS, FOLDER, printed
from deployment.packages import need
from runtime.metrics import METRICS, Kind, declared

OURS = re.compile(rf"\b(?:{'|'.join(METRICS)})_[a-z_]+\b")
RULES = [
    r for g in yaml.safe_load((MONITORING / "prometheus" / "alerts.yml").read_text())["groups"] for r in g["rules"]
]


def queries() -> list[str]:
    dashboards = [json.loads(printed(name)) for name in DASHBOARDS]
    return [t["expr"] for d in dashboards for p in d["panels"] for t in p["targets"]] + [r["expr"] for r in RULES]


@pytest.fixture(scope="module")
def promtool():
    return need("promtool", "prometheus")


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_are_fresh(name):
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == printed(name), "stale: run `make docs`"


def test_no_panels_overlap():
    for name in DASHBOARDS:
        cells = set()
        for panel in json.loads(printed(name))["panels"]:
            place = panel["gridPos"]
            mine = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not mine & cells and place["x"] + place["w"] <= 24, f"{name}: {panel['title']}"
            cells |= mine


@pytest.mark.parametrize("query", queries())
def test_queries_name_declared_metrics_and_their_labels(query):
    for name in OURS.findall(query):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        metric = declared(base)
        assert (base != name) == (metric.kind in (Kind.HISTOGRAM, Kind.SUMMARY)), f"{name} is no series"
        for used in re.findall(re.escape(name) + r"{([^}]*)}", query):
            labels = set(re.findall(r"(\w+)[=!~]+\"", used))
            assert labels <= {*metric.labels, "instance", "job"}, f"{name} has no such label"


def test_every_metric_follows_the_conventions():
    names = [m.name for metrics in METRICS.values() for m in metrics]
    assert len(names) == len(set(names))
    for process, metrics in METRICS.items():
        for metric in metrics:
            assert metric.name.startswith(f"{process}_")
            assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric.name
            assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)


def test_every_alert_says_what_to_do():
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    for rule in RULES:
        assert f"### {rule['alert']}\n" in page, rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical") and rule["annotations"]["summary"]
    tested = yaml.safe_load((ROOT / "tests" / "deployment" / "alerts_test.yml").read_text())["tests"]
    fired = {a["alertname"] for t in tested for a in t.get("alert_rule_test", ()) if a["exp_alerts"]}
    assert fired == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "deployment/monitoring/prometheus/prometheus.yml"),
        ("test", "rules", "tests/deployment/alerts_test.yml"),
    ],
)
def test_promtool_agrees(promtool, command):
    done = subprocess.run([promtool, *command], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
