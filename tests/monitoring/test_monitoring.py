"""Every query of the dashboards and every alert, asked of a real Prometheus that scraped the real platform."""

import json
import re

import pytest
import yaml

from catalogue.views import VIEWS
from deployment.local_stack import MONITORING
from deployment.monitoring.dashboards import DASHBOARDS, printed
from runtime.metrics import METRICS

RULES = [
    r for g in yaml.safe_load((MONITORING / "prometheus" / "alerts.yml").read_text())["groups"] for r in g["rules"]
]
OWNERS = "|".join(("kafka", "minio", "process", *METRICS))
# What the kubelet tells, and none runs here.
ELSEWHERE = {"KafkaDiskFilling"}
SERIES = re.compile(rf"\b(?:up|(?:{OWNERS})_[a-z0-9_]+)\b(?:{{[^}}]*}})?")


def queries() -> list[tuple[str, str]]:
    found = []
    for name in DASHBOARDS:
        for panel in json.loads(printed(name))["panels"]:
            found += [(f"{name}: {panel['title']}", target["expr"]) for target in panel["targets"]]
    return found


@pytest.mark.parametrize(("place", "query"), queries())
def test_dashboards_have_data(watched, place, query):
    watched.until(query, place)  # a scrape may fail on a busy machine, and its series are gone until the next


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alerts_look_at_series_that_exist(watched, rule):
    loaded = [r for g in watched.ask("rules")["groups"] for r in g["rules"] if r["name"] == rule["alert"]]
    assert [(r["health"], r.get("lastError")) for r in loaded] == [("ok", None)]
    names = SERIES.findall(rule["expr"])
    assert bool(names) != (rule["alert"] in ELSEWHERE)
    for name in names:
        # Requests that fail with 5xx are not there when all is well, nor is what a sender was told to send again.
        watched.until(re.sub(r'(, )?status=~?"5[^"]*"|fate="deferred"', "", name))


def test_nothing_is_wrong_with_a_sound_platform(watched):
    alerts = {a["labels"]["alertname"] for a in watched.ask("alerts")["alerts"]}
    assert not alerts & {
        "LedgerOpen",
        "LedgersDisagree",
        "ProcessDown",
        "ServingErrors",
        "BatchFailed",
        "ProducerFailing",
    }


def test_ledgers_are_compared_in_every_partition_that_has_events(watched):
    expression = next(r["expr"] for r in RULES if r["alert"] == "LedgersDisagree")
    compared = watched.query(re.sub(r"\s>\s", " <= bool ", expression))
    partitions = watched.query('count by (topic, partition) (serving_ledger_events{fate="landed"})')
    assert len(compared) == len(partitions) > 10
    assert {sample["value"][1] for sample in compared} == {"1"}


def test_a_batch_run_says_what_it_did(watched):
    added = watched.query("sum(batch_run_events)")[0]["value"][1]
    assert float(added) > 0 and added == watched.query('sum(batch_ledger_events{fate="landed"})')[0]["value"][1]
    assert len(watched.query("batch_view_rows")) == len(VIEWS)
    assert watched.query("batch_last_failure_timestamp_seconds < batch_last_success_timestamp_seconds")


@pytest.mark.parametrize("process", [p for p in METRICS if p != "batch"])  # batch runs end
def test_processes_tell_what_is_declared(watched, process):
    assert watched.scraped(process) == {m.name for m in METRICS[process]}
