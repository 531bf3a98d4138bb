"""Every manifest is accepted by a real API server: known fields only, right types, and pods that may run restricted."""

from __future__ import annotations

import pytest
import yaml

from deployment.pins import image
from tests.kubernetes.conftest import FOLDER, PLACES

STRICT = ("apply", "--dry-run=server", "--validate=strict", "-f", "-")


def split(text: str) -> tuple[str, str]:
    """The namespaces of printed manifests, and all the rest."""
    documents = list(yaml.safe_load_all(text))
    chosen = [[d for d in documents if (d["kind"] == "Namespace") is wanted] for wanted in (True, False)]
    return tuple(yaml.safe_dump_all(part) for part in chosen)


@pytest.mark.parametrize("place", PLACES)
def test_accepted(server, place):
    namespaces, rest = split(server.do("kustomize", str(PLACES[place])))
    server.do("apply", "-f", "-", stdin=namespaces)
    done = server.kubectl(*STRICT, stdin=rest)
    assert (done.returncode, done.stderr) == (0, "")  # not even a warning


def test_a_wrong_manifest_is_refused(server):
    namespaces, rest = split(server.do("kustomize", str(PLACES["cluster"])))
    server.do("apply", "-f", "-", stdin=namespaces)
    for right, wrong, problem in (
        ("readinessProbe:", "readynessProbe:", 'unknown field "spec.template.spec.containers[0].readynessProbe"'),
        ("kafka.strimzi.io/v1\n", "kafka.strimzi.io/v1beta2\n", "no matches for kind"),
        ("topicName: auth_topic", "topic: auth_topic", 'unknown field "spec.topic"'),
        ("runAsNonRoot: true", "runAsNonRoot: false", "would violate PodSecurity"),
    ):
        done = server.kubectl(*STRICT, stdin=rest.replace(right, wrong))
        assert problem in done.stderr, f"{wrong}: {done.stderr}"


def test_executors_may_run(server):
    """The pod that Spark makes of the template, in the namespace of the drivers."""
    namespaces, _ = split(server.do("kustomize", str(PLACES["cluster"])))
    server.do("apply", "-f", "-", stdin=namespaces)
    server.kubectl("-n", "spark", "create", "serviceaccount", "default")  # a controller's work, and none runs
    pod = yaml.safe_load((FOLDER / "executors" / "executor.yaml").read_text())
    pod["metadata"] |= {"name": "executor", "namespace": "spark"}
    pod["spec"]["containers"][0]["image"] = image("platform")
    done = server.kubectl(*STRICT, stdin=yaml.safe_dump(pod))
    assert (done.returncode, done.stderr) == (0, "")
