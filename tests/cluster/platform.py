"""The platform on a cluster, through kubectl: its pods, its Jobs, and the answers of its API through a forwarded
port.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import yaml

from catalogue.views import VIEWS
from deployment.installation import StackError
from deployment.kubernetes.binaries import programs
from deployment.kubernetes.node import NAME, Cluster
from deployment.local_stack import ROOT
from deployment.pins import image
from deployment.ports import free_port
from tests.kubernetes.conftest import DATA

FOLDER = ROOT / "deployment" / "kubernetes"
LIMIT = 300
LANDED = """
import json
from catalogue.at_rest.raw_files import landed_head
from runtime.settings import Settings
from runtime.storage.opening import open_store
settings = Settings.load()
print(json.dumps(landed_head(open_store(settings.master_dataset, settings))))
"""
NAMESPACES = ("kafka", "minio", "spark", "serving", "collector", "projection", "oozie", "producer")


class Platform:
    """The platform on a cluster."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.port, self.key = 0, ""
        self.forward: subprocess.Popen | None = None

    def script(self, name: str, *options: str) -> list[str]:
        """Run a script of `deployment/` against the cluster; gives what it asked of Minikube, which isn't here."""
        tools = self.cluster.folder / "tools"
        asked = tools / "asked"
        tools.mkdir(exist_ok=True)
        asked.write_text("")
        (tools / "minikube").write_text(f'#!/bin/sh\necho "$*" >> {asked}\n')
        (tools / "minikube").chmod(0o755)
        environ = os.environ | {
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "PATH": f"{tools}:{programs('kubectl')['kubectl'].parent}:{os.environ['PATH']}",
        }
        command = [str(ROOT / "deployment" / name), *options]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=2 * LIMIT)
        assert done.returncode == 0, done.stdout + done.stderr
        return asked.read_text().splitlines()

    @contextmanager
    def forwarded(self) -> Iterator[None]:
        """The API at a port of this machine, as `kubectl port-forward` brings it: to one pod, and it ends with it."""
        self.port = free_port()
        command = [str(programs("kubectl")["kubectl"]), f"--kubeconfig={self.cluster.kubeconfig}", "-n", "serving"]
        command += ["port-forward", "service/serving", f"{self.port}:8000"]
        log = self.cluster.folder / "forwarded.log"
        with open(log, "wb") as out:
            self.forward = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            wait("the forwarded port", lambda: self.get("/health/live"), told=log.read_text)
            yield
        finally:
            self.forward.terminate()
            self.forward.wait(30)

    def get(self, path: str) -> Any:
        """An answer of the API."""
        with urllib.request.urlopen(self._request(path), timeout=10) as answer:
            return json.load(answer)

    def _request(self, path: str) -> urllib.request.Request:
        """A request with the operator's key, as the guide says to get it."""
        if not self.key and not path.startswith("/health"):
            told = self.cluster.do("-n", "serving", "get", "secret", "api-keys", "-o", "jsonpath={.data.OPERATOR_KEY}")
            self.key = base64.b64decode(told).decode()
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)

    def status(self, path: str) -> int:
        """The status of an answer of the API."""
        try:
            with urllib.request.urlopen(self._request(path), timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def problem(self) -> str:
        """What stands in the way of an answer: serving's own words, the pods, and the newest events of the cluster."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=10) as answer:
                said = answer.read().decode()
        except urllib.error.HTTPError as error:
            said = error.read().decode()
        except OSError as error:
            ended = "" if self.forward is None or self.forward.poll() is None else ", it has ended"
            words = (self.cluster.folder / "forwarded.log").read_text().splitlines()[-5:]
            said = f"the forwarded port: {error}{ended}; kubectl said {words}"
        pods = self.cluster.kubectl("get", "pods", "-A", "-o", "wide").stdout
        events = self.cluster.kubectl("get", "events", "-A", "--sort-by=.lastTimestamp").stdout.splitlines()[-30:]
        log = self.cluster.kubectl("-n", "serving", "logs", "deployment/serving", "--tail=20").stdout
        return "\n".join((said, pods, *events, log))

    def rows(self) -> dict[str, list[dict]]:
        """Every row of every view, in one order."""
        found = {name: self.get(f"/views/{name}?limit=10000")["rows"] for name in VIEWS}
        return {name: sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)) for name, rows in found.items()}

    def events(self) -> int:
        """Events that the answers cover."""
        return count(self.get("/freshness")["head"])

    def produce(self, name: str, *options: str) -> None:
        """Start a producer Job of this name."""
        documents = list(yaml.safe_load_all(self.cluster.do("kustomize", str(FOLDER / "producer"))))
        job = next(d for d in documents if d["kind"] == "Job")
        job["metadata"]["name"] = name
        container = job["spec"]["template"]["spec"]["containers"][0]
        container["args"] = [*container["args"][:2], *options]
        self.cluster.do("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))

    def sent(self, name: str) -> int:
        """Events that a producer Job sent, when it is done."""
        self.done("producer", name)
        told = self.cluster.do("-n", "producer", "logs", f"job/{name}")
        found = re.search(r"^sent (\d+) events", told, re.M)
        assert found, told
        return int(found[1])

    def landed(self) -> int:
        """Events that ingestion has committed, as a pod of the cluster reads it."""
        told = self.cluster.do("-n", "spark", "exec", "ingestion-0", "--", "python", "-c", LANDED)
        return count(json.loads(told.splitlines()[-1]))

    def batch(self, name: str) -> None:
        """Start the daily run by hand."""
        self.cluster.do("-n", "spark", "create", "job", "--from=cronjob/batch", name)

    def retain(self) -> str:
        """Run the daily retention by hand; what it said."""
        self.cluster.do("-n", "spark", "create", "job", "--from=cronjob/retention", "retention-now")
        self.done("spark", "retention-now")
        return self.cluster.do("-n", "spark", "logs", "job/retention-now")

    def watch(self) -> None:
        """The Pushgateway of `monitoring/`, from the image that is here; what needs Prometheus' operator stays out."""
        documents = list(yaml.safe_load_all(self.cluster.do("kustomize", str(FOLDER / "monitoring"))))
        ours = [d for d in documents if not d["apiVersion"].startswith("monitoring.coreos.com/")]
        (pod,) = (d["spec"]["template"]["spec"] for d in ours if d["kind"] == "Deployment")
        pod["containers"][0] |= {"image": image("prometheus"), "command": ["prometheus-pushgateway"]}
        self.cluster.do("create", "namespace", "monitoring")
        self.cluster.do("apply", "-f", "-", stdin=yaml.safe_dump_all(ours))
        wait("the Pushgateway", lambda: self.ready("monitoring", "pushgateway"))

    def scraped(self, namespace: str, pod: str, port: int) -> dict[str, float]:
        """What a pod tells Prometheus: values by name and labels."""
        told = self.cluster.do("get", "--raw", f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/metrics")
        pairs = (line.rpartition(" ") for line in told.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def scale(self, namespace: str, what: str, pods: int) -> None:
        """Let as many pods run."""
        self.cluster.do("-n", namespace, "scale", what, f"--replicas={pods}")

    def leave_topics_behind(self) -> None:
        """Strimzi's resources and volumes as a cluster has them whose operator is gone: nobody takes finalizers off."""
        self.cluster.do("apply", "--server-side", "-f", str(DATA / "strimzi_crds"))
        wait("its kinds", lambda: '"apis/kafka.strimzi.io/v1"' in self.cluster.do("get", "--raw", "/openapi/v3"))
        for name in ("deployment", "topics", "persistent-volumn-minikube"):
            self.cluster.do("apply", "-f", str(ROOT / "kafka" / f"{name}.yaml"))
        finalizers = json.dumps({"metadata": {"finalizers": ["strimzi.io/topic-operator"]}})
        for topic in self.cluster.do("-n", "kafka", "get", "kafkatopics", "-o", "name").split():
            self.cluster.do("-n", "kafka", "patch", topic, "--type=merge", "-p", finalizers)

    def done(self, namespace: str, job: str) -> None:
        """Wait until a Job is complete; AssertionError with what it said where it failed."""

        def ended() -> str:
            types = '{.status.conditions[?(@.status=="True")].type}'
            return self.cluster.do("-n", namespace, "get", "job", job, "-o", f"jsonpath={types}")

        found = wait(f"the Job {job}", lambda: {"Complete", "Failed"} & set(ended().split()))
        assert found == {"Complete"}, self.cluster.do("-n", namespace, "logs", f"job/{job}", "--tail=20")

    def pods(self, namespace: str, name: str) -> dict[str, bool]:
        """Unique id of each pod of this name that is not on its way out, and whether it is ready."""
        listed = self.cluster.do("-n", namespace, "get", "pods", "-l", f"app.kubernetes.io/name={name}", "-o", "json")
        return {
            pod["metadata"]["uid"]: any(
                c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", [])
            )
            for pod in json.loads(listed)["items"]
            if "deletionTimestamp" not in pod["metadata"]
        }

    def name(self, namespace: str, name: str) -> str:
        """The full name of the first pod of this name."""
        found = self.cluster.do("-n", namespace, "get", "pods", "-l", f"app.kubernetes.io/name={name}", "-o", "name")
        return found.split()[0].removeprefix("pod/")

    def ready(self, namespace: str, name: str, pods: int = 1) -> bool:
        """Whether that many pods of this name are ready."""
        return sum(self.pods(namespace, name).values()) == pods

    def lose(self, namespace: str, name: str, pods: int = 1) -> float:
        """Kill a pod without a word and wait for another one; seconds until it was ready."""
        before = set(self.pods(namespace, name))
        listed = self.cluster.do("-n", namespace, "get", "pods", "-l", f"app.kubernetes.io/name={name}", "-o", "name")
        started = time.monotonic()
        self.cluster.do("-n", namespace, "delete", "--force", "--grace-period=0", listed.split()[0])
        wait(f"another {name}", lambda: set(self.pods(namespace, name)) - before and self.ready(namespace, name, pods))
        return time.monotonic() - started

    def memory(self) -> dict[str, float]:
        """Working set of each running pod in MB, as the kubelet counts it."""
        summary = json.loads(self.cluster.do("get", "--raw", f"/api/v1/nodes/{NAME}/proxy/stats/summary"))
        found = {p["podRef"]["name"]: p.get("memory", {}).get("workingSetBytes", 0) / 1e6 for p in summary["pods"]}
        return {name: used for name, used in found.items() if used}

    def told(self) -> str:
        """State and last words of every pod."""
        parts = [self.cluster.kubectl("get", "pods,jobs,pvc", "-A", "-o", "wide").stdout]
        for namespace in NAMESPACES:
            for pod in self.cluster.kubectl("-n", namespace, "get", "pods", "-o", "name").stdout.split():
                parts.append(f"== {namespace} {pod}")
                parts.append(self.cluster.kubectl("-n", namespace, "logs", "--tail=60", pod).stdout)
        parts.append(self.cluster.kubectl("get", "events", "-A", "--sort-by=.lastTimestamp").stdout)
        return "\n".join(parts)


def count(vector: dict[str, dict[str, int]]) -> int:
    """Events below a vector of exclusive offsets."""
    return sum(end for partitions in vector.values() for end in partitions.values())


def wait(what: str, ready: Callable[[], Any], seconds: float = LIMIT, told: Callable[[], str] = str) -> Any:
    """What `ready` gives once it is true; AssertionError with what is `told` then where that takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError, urllib.error.URLError, StackError):
            found = ready()
            if found:
                return found
        assert time.monotonic() < deadline, f"{what} must be within {seconds:.0f} s\n{told()}"
        time.sleep(0.5)
