"""What images are made of and builds don't fetch themselves: each part a folder or file of this machine's cache."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from deployment import dashboard, installation
from deployment.installation import CONFIG, StackError
from runtime.settings import cache_folder


def wheels() -> Path:
    """Folder with a wheel of each of `config/requirements.txt`, for the Python that runs this."""
    requirements = CONFIG / "requirements.txt"
    folder = cache_folder() / f"wheels-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    if not (folder / ".ready").exists():
        if sys.version_info[:2] != (3, 11):
            raise StackError(
                f"images: wheels must be fetched by Python 3.11, as Debian has; got {sys.version.split()[0]}"
            )
        print("images: fetching wheels, once per machine", flush=True)
        command = [sys.executable, "-m", "pip", "wheel", "-q", "-r", str(requirements), "-w", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"images: pip must fetch the wheels; got {done.stderr.strip().splitlines()[-1]}")
        (folder / ".ready").touch()
    return folder


PARTS = {
    "wheels": wheels,
    "dashboard": dashboard.bundle,
    "minio": installation.minio,
    "spark-jars": installation.spark_jars,
    "kafka-jars": installation.kafka_jars,
    "hadoop-jars": installation.hadoop_jars,
    "oozie-jars": installation.oozie_jars,
}
