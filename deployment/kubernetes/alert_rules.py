"""The alert rules as Prometheus' operator takes them: `python -m deployment.kubernetes.alert_rules` prints its file.

A test fails while the file differs from what this module prints.
"""

from __future__ import annotations

from deployment.local_stack import ROOT

RULES = ROOT / "deployment" / "monitoring" / "prometheus" / "alerts.yml"
FILE = ROOT / "deployment" / "kubernetes" / "monitoring" / "prometheus-rule.yaml"
HEAD = """\
# Printed from deployment/monitoring/prometheus/alerts.yml by `make docs`; edit that file, not this one.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: learning-analytics
  namespace: monitoring
  labels:
    app.kubernetes.io/part-of: learning-analytics
spec:
"""


def prometheus_rule() -> str:
    """The manifest: the rules as they stand, below `spec`."""
    lines = RULES.read_text(encoding="utf-8").splitlines()
    return HEAD + "".join(f"  {line}\n" if line else "\n" for line in lines if not line.startswith("#"))


if __name__ == "__main__":
    FILE.write_text(prometheus_rule(), encoding="utf-8")
    print(FILE.relative_to(ROOT))
