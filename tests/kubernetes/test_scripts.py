"""The scripts that deploy: without faults, alike in both shells, and clear about bad options."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from catalogue.events.unmapped import COLLECTED
from deployment.kubernetes.api_server import ApiServer
from deployment.kubernetes.binaries import programs
from deployment.packages import need
from deployment.pins import pins
from runtime.settings import cache_folder
from tests.kubernetes.conftest import FOLDER, PLACES, ROOT, knows
from tests.kubernetes.test_manifests import pods, printed

BATCH = ROOT / "batch_layer"
GRAMMAR = ("tree-sitter==0.26.1", "tree-sitter-powershell==0.26.4")
PARSER = """
import sys, tree_sitter, tree_sitter_powershell
parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
print(parser.parse(open(sys.argv[1], "rb").read()).root_node.has_error)
"""
# The operator's own kind for pods, with any content.
POD_SETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "strimzipodsets.core.strimzi.io"},
    "spec": {
        "group": "core.strimzi.io",
        "names": {"kind": "StrimziPodSet", "plural": "strimzipodsets", "singular": "strimzipodset"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
POD_SET = {"apiVersion": "core.strimzi.io/v1", "kind": "StrimziPodSet"}
POWER = sorted([*(ROOT / "deployment").glob("*.ps1"), *BATCH.glob("*.ps1")])


def test_shellcheck_finds_nothing():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.sh"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    scripts = [path for path in listed if (ROOT / path).exists()]
    assert {"deployment/images/coordinator.sh", "batch_layer/deploy_oozie.sh"} <= set(scripts)
    subprocess.run([need("shellcheck", "shellcheck"), *scripts], cwd=ROOT, check=True, timeout=60)


@pytest.fixture(scope="session")
def grammar() -> Path:
    """A folder with PowerShell's grammar, fetched once per machine."""
    folder = cache_folder() / "powershell-grammar"
    if not (folder / "tree_sitter_powershell").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(folder)]
        subprocess.run([*command, *GRAMMAR], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("file", POWER, ids=lambda path: path.stem)
def test_powershell_can_be_parsed(grammar, file, tmp_path):
    bad = tmp_path / "bad.ps1"
    bad.write_text(file.read_text().replace("param(", "param(("))
    for script, faults in ((file, "False"), (bad, "True")):
        command = [sys.executable, "-c", PARSER, str(script)]
        done = subprocess.run(command, env={"PYTHONPATH": str(grammar)}, capture_output=True, text=True, timeout=60)
        assert done.stdout.strip() == faults, done.stderr


@pytest.mark.parametrize("name", ["deploy_minikube", "cleanup_minikube"])
def test_both_shells_do_the_same(name):
    shell, power = ((ROOT / "deployment" / f"{name}.{end}").read_text() for end in ("sh", "ps1"))
    shell += (FOLDER / "secrets.sh").read_text() if name == "deploy_minikube" else ""
    words = [
        set(re.findall(r"[\w./-]*(?:deployment|statefulset|job|namespace|kafka)[\w./,-]*", t)) for t in (shell, power)
    ]
    manifests = [{w for w in found if "/" in w and not w.endswith((".sh", ".ps1", "/"))} for found in words]
    assert manifests[0] == manifests[1]
    kinds = [{w for w in found if "," in w} for found in words]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("end", ["sh", "ps1"])
def test_no_namespace_with_our_keys_or_pods_is_left_behind(end):
    ours = {d["metadata"]["name"] for place in PLACES for d in printed(place) if d["kind"] == "Namespace"}
    ours |= set(re.search(r"^namespaces=\((.*)\)$", (FOLDER / "secrets.sh").read_text(), re.M)[1].split())
    text = (ROOT / "deployment" / f"cleanup_minikube.{end}").read_text()
    (gone,) = re.findall(r"(?i)remove.*\bnamespace\b(.*)", text)
    assert set(re.findall(r"\w+", gone)) == ours
    assert set(re.findall(r"(?i)remove.*?-n\W+(\w+)", text)) == ours, "and what runs there ends without --data too"


def test_minikube_gets_what_the_guide_says():
    guide = (ROOT / "deployment" / "MINIKUBE_TESTING_GUIDE.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)`.*? \| (\d+ GB \| \d+) \|", guide, re.M))
    assert set(rows) == {"small", "local", "minikube"} and rows["small"] == rows["local"]
    wanted = [tuple(map(int, re.findall(r"\d+", rows[name]))) for name in ("minikube", "small")]
    for end in ("sh", "ps1"):
        text = (ROOT / "deployment" / f"deploy_minikube.{end}").read_text()
        found = re.findall(r"cpus ?= ?(\d+);? \$?memory ?= ?'?(\d+)g", text)
        assert [(int(memory), int(cores)) for cores, memory in found] == wanted, end
        assert text.count("--cpus=$cpus" if end == "ps1" else '--cpus="$cpus"') == 1
    reference = (ROOT / "deployment" / "MINIKUBE_QUICK_REFERENCE.md").read_text()
    assert "deploy_minikube.sh [small\\|local\\|minikube]" in reference


def test_strimzi_is_pinned_beside_the_kafka_that_it_runs():
    """1.2.0 is the first that knows Kafka 4.3.1 and whose own pods may run where `restricted` is enforced."""
    assert tuple(map(int, pins()["STRIMZI_VERSION"].split("."))) >= (1, 2, 0)
    for end in ("sh", "ps1"):
        text = (ROOT / "deployment" / f"deploy_minikube.{end}").read_text()
        assert "STRIMZI_VERSION" in text and "latest" not in text, end


def test_keys_are_changed_wherever_they_are():
    """What README.md says of it names each namespace that has them and each process that reads them when it starts."""
    page = (FOLDER / "README.md").read_text()
    told = page[page.index("- **Secrets**") : page.index("- **Pods are restricted**")]
    spaces = re.search(r"^namespaces=\((.*)\)$", (FOLDER / "secrets.sh").read_text(), re.M)[1].split()
    readers = [
        name
        for kind, name, pod in pods("oozie")
        if kind in ("Deployment", "StatefulSet") and "minio-credentials" in str(pod)
    ]
    assert len(readers) == 7 and not [name for name in (*spaces, *readers) if f"`{name}`" not in told]


def environ(server: ApiServer) -> dict[str, str]:
    """An environment whose kubectl speaks to the server."""
    tool = programs("kubectl")["kubectl"].parent
    return os.environ | {"KUBECONFIG": str(server.kubeconfig), "PATH": f"{tool}:{os.environ['PATH']}"}


def erasure_keys(server: ApiServer, *spaces: str) -> set[str]:
    """The keys of erasures that namespaces have."""
    path = "jsonpath={.data.ERASURE_KEY}"
    told = [server.do("-n", space, "get", "secret", "erasure-key", "-o", path) for space in spaces]
    return {base64.b64decode(text).decode() for text in told}


def test_the_erasure_key_is_made_once_and_is_one(server):
    """Another would bring every layer to a stop, so it is never made anew while a namespace has it."""
    spaces = re.search(r"^readers=\((.*)\)$", (FOLDER / "secrets.sh").read_text(), re.M)[1].split()
    script = [str(FOLDER / "secrets.sh")]
    told = subprocess.run(script, env=environ(server), capture_output=True, text=True, check=True, timeout=180)
    (key,) = erasure_keys(server, *spaces)
    assert len(key) == 64 and key not in told.stdout + told.stderr
    server.do("-n", spaces[0], "delete", "secret", "erasure-key")
    subprocess.run(
        script, env=environ(server) | {"ERASURE_KEY": "x" * 64}, capture_output=True, check=True, timeout=180
    )
    assert erasure_keys(server, *spaces) == {key}
    for space in spaces:
        server.do("-n", space, "delete", "secret", "erasure-key")
    subprocess.run(script, env=environ(server) | {"ERASURE_KEY": key}, capture_output=True, check=True, timeout=180)
    assert erasure_keys(server, *spaces) == {key}, "a cluster made anew over restored data is given the old one"


@pytest.fixture
def strimzi(server) -> Iterator[str]:
    """Strimzi's resources as they are while Kafka runs; the test does what the operator would. Gives their
    manifests.
    """
    wanted = ("Kafka", "KafkaNodePool", "KafkaTopic")
    text = yaml.safe_dump_all([d for d in printed("minikube") if d["kind"] in wanted])
    server.do("apply", "-f", "-", stdin=yaml.safe_dump_all(d for d in printed("minikube") if d["kind"] == "Namespace"))
    server.do("apply", "-f", "-", stdin=yaml.safe_dump(POD_SETS))
    server.do("apply", "-f", "-", stdin=text)
    server.wait("the kind", lambda: knows(server, "core.strimzi.io/v1"), "api-server")
    metadata = {"name": "kafka-cluster-node", "namespace": "kafka", "labels": {"strimzi.io/cluster": "kafka-cluster"}}
    server.do("apply", "-f", "-", stdin=yaml.safe_dump({**POD_SET, "metadata": metadata}))
    say(server, {"clusterId": "first", "conditions": []})
    yield text
    server.do("delete", "-f", "-", stdin=text)
    server.do("-n", "kafka", "delete", "strimzipodset", "--all")


def say(server: ApiServer, status: dict) -> None:
    """Give Kafka's resource a status."""
    patch = ("--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    server.do("-n", "kafka", "patch", "kafka", "kafka-cluster", *patch)


def kafka(server: ApiServer) -> tuple[str, str]:
    """Whether Kafka's resource is paused, and the id of its cluster."""
    found = json.loads(server.do("-n", "kafka", "get", "kafka", "kafka-cluster", "-o", "json"))
    return found["metadata"]["annotations"]["strimzi.io/pause-reconciliation"], found["status"]["clusterId"]


def test_strimzis_cluster_keeps_its_id_with_its_data(server, strimzi):
    script = subprocess.Popen(
        [str(ROOT / "deployment" / "cleanup_minikube.sh")],
        env=environ(server),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server.wait("the pause", lambda: kafka(server)[0] == "true" or script.poll(), "api-server")
    pod_sets = ("-n", "kafka", "get", "strimzipodset", "-o", "name")
    assert server.do(*pod_sets), "no pods are taken while the operator would make them anew"
    say(server, {"conditions": [{"type": "ReconciliationPaused", "status": "True"}]})
    told, _ = script.communicate(timeout=180)
    assert script.returncode == 0, told
    assert not server.do(*pod_sets) and kafka(server) == ("true", "first")
    assert len(server.do("-n", "kafka", "get", "kafkatopic,kafkanodepool", "-o", "name").split()) == len(COLLECTED) + 1
    server.do("apply", "-f", "-", stdin=strimzi)
    assert kafka(server) == ("false", "first"), "deployed again it goes on"


@pytest.mark.parametrize(
    ("script", "options", "expected"),
    [
        ("deploy_minikube", ["fly"], "options must be of small, local, minikube, --no-start, --events N; got 'fly'"),
        ("deploy_minikube", ["--events", "many"], "--events must be a whole number; got 'many'"),
        ("cleanup_minikube", ["--all"], "options must be of --data, --cluster; got '--all'"),
    ],
)
def test_a_bad_option_is_named(script, options, expected):
    command = [str(ROOT / "deployment" / f"{script}.sh"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (2, f"{script}: {expected}\n")
