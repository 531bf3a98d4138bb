"""The image that Spark's executors on Kubernetes run: their driver's, which only Kubernetes knows for certain."""

from __future__ import annotations

import json
import ssl
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.settings import SettingsError

if TYPE_CHECKING:
    from pyspark import SparkConf

SETTING = "spark.kubernetes.container.image"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT_SECONDS = 30
NAME = "app.kubernetes.io/name"


def name_executor_image(conf: SparkConf) -> None:
    """Give the executors of a driver in a pod that pod's image, where none is named and Spark runs on Kubernetes.

    Raises SettingsError where the pod can't be read.
    """
    address = str(conf.get("spark.master", "")).partition("k8s://")[2]
    pod = conf.get("spark.kubernetes.driver.pod.name")
    if address and pod and not conf.contains(SETTING):
        conf.set(SETTING, _image(f"{address}/api/v1/namespaces/{conf.get('spark.kubernetes.namespace')}/pods/{pod}"))


def _image(pod: str) -> str:
    """The image of the container that has its pod's name, as others may stand before it; else of the first."""
    try:
        token = (ACCOUNT / "token").read_text(encoding="utf-8").strip()
        request = urllib.request.Request(pod, headers={"Authorization": f"Bearer {token}"})
        trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=trusted) as answer:
            found = json.load(answer)
    except (OSError, HTTPException, ValueError) as error:
        raise SettingsError(f"setting {SETTING}: must be given, or {pod} be readable; got {error}") from error
    name = found["metadata"].get("labels", {}).get(NAME)
    containers = sorted(found["spec"]["containers"], key=lambda container: container["name"] != name)
    return str(containers[0]["image"])
