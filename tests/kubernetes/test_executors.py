"""A Spark driver of the overlay `cluster`, as a process here before a real API server: the executors that it asks
for.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.kubernetes.conftest import FOLDER, PLACES, ROOT
from tests.kubernetes.test_api_server import split

IMAGE = "registry.example/ingestion:2.0.0"
DRIVER = """
import sys, time
from pathlib import Path
from runtime.spark import executor_image
from runtime.settings import Settings, SettingsError
from runtime.spark.session import session

executor_image.ACCOUNT = Path(sys.argv[1])
try:
    session("check", Settings.load())
except SettingsError as error:
    sys.exit(str(error))
time.sleep(600)
"""


@pytest.fixture(scope="module")
def account(server, tmp_path_factory) -> Path:
    """The folder that Kubernetes gives to a pod of the drivers' service account; the pod is there too, with a
    sidecar.
    """
    namespaces, rest = split(server.do("kustomize", str(PLACES["cluster"])))
    server.do("apply", "-f", "-", stdin=namespaces)
    server.do("apply", "-f", str(FOLDER / "executors" / "access.yaml"))
    server.kubectl("-n", "spark", "create", "serviceaccount", "default")  # a controller's work, and none runs
    found = next(
        d for d in yaml.safe_load_all(rest) if d["kind"] == "StatefulSet" and d["metadata"]["name"] == "ingestion"
    )
    pod = found["spec"]["template"] | {"apiVersion": "v1", "kind": "Pod"}
    pod["metadata"] |= {"name": "ingestion-0", "namespace": "spark"}
    main = pod["spec"]["containers"][0]
    pod["spec"]["containers"] = [
        main | {"name": "sidecar", "image": "registry.example/proxy:1"},
        main | {"image": IMAGE},
    ]
    server.do("apply", "-f", "-", stdin=yaml.safe_dump(pod))
    folder = tmp_path_factory.mktemp("account")
    (folder / "token").write_text(server.do("-n", "spark", "create", "token", "spark-driver"))
    (folder / "ca.crt").write_text((server.folder / "ca.crt").read_text())
    return folder


def command(server, account: Path, folder: Path, *options: str) -> list[str]:
    """The driver's command line: the overlay's properties, but for what only a pod can reach."""
    address = json.loads(server.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    properties = (FOLDER / "executors" / "executors.conf").read_text().replace("/etc/spark/", f"{FOLDER}/executors/")
    (folder / "executors.conf").write_text(
        re.sub(r"(?m)^spark\.(driver\.(port|block|extra)|executor\.extra).*\n", "", properties)
    )
    (folder / "driver.py").write_text(DRIVER)
    return [
        str(Path(sys.executable).with_name("spark-submit")),
        f"--properties-file={folder / 'executors.conf'}",
        f"--master=k8s://{address}",
        "--conf=spark.driver.host=127.0.0.1",
        f"--conf=spark.kubernetes.authenticate.oauthTokenFile={account / 'token'}",
        f"--conf=spark.kubernetes.authenticate.caCertFile={account / 'ca.crt'}",
        *options,
        str(folder / "driver.py"),
        str(account),
    ]


ENVIRON = os.environ | {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}


def test_executors_run_the_image_of_their_drivers_pod(server, account, tmp_path):
    line = command(server, account, tmp_path, "--conf=spark.kubernetes.driver.pod.name=ingestion-0")
    with open(tmp_path / "log", "wb") as log:
        driver = subprocess.Popen(line, env=ENVIRON, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline, images = time.monotonic() + 180, []
        path = "jsonpath={.items[*].spec.containers[*].image}"
        while len(images) < 3:
            assert driver.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()[-2000:]
            time.sleep(0.5)
            images = server.do("-n", "spark", "get", "pods", "-l", "spark-role=executor", "-o", path).split()
        assert images == [IMAGE] * 3
    finally:
        os.killpg(driver.pid, signal.SIGKILL)  # with its Python
        driver.wait(30)


def test_a_pod_that_cannot_be_read_is_named(server, account, tmp_path):
    line = command(server, account, tmp_path, "--conf=spark.kubernetes.driver.pod.name=nobody")
    done = subprocess.run(line, env=ENVIRON, capture_output=True, text=True, timeout=180)
    told = re.search(r"^setting spark\.kubernetes\.container\.image: must be given.*", done.stdout, re.M)
    assert told and "/namespaces/spark/pods/nobody" in told[0] and "404" in told[0], done.stdout + done.stderr
