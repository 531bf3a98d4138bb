"""The project's code on a cluster's executors: sent along by the driver, so that their machines need its packages only.

Executors of Kubernetes run their driver's image, and what spark-submit starts was given its files: neither needs this.
"""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from pyspark import SparkContext

ROOT = Path(__file__).resolve().parents[2]
# What tasks import.
PACKAGES = ("runtime", "catalogue", "ingestion_layer", "batch_layer", "speed_layer")
ARCHIVE = "learning-analytics.zip"


def is_elsewhere(master: str) -> bool:
    """Whether a master runs its executors on machines that need not have this project's folder."""
    return not master.startswith(("local", "k8s://"))


def ship(context: SparkContext) -> None:
    """Give the project's code to every executor, those that come later too."""
    folder = Path(tempfile.mkdtemp(prefix="spark-code-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # Spark serves it from there until the end
    archive = folder / ARCHIVE
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for package in PACKAGES:
            for file in sorted((ROOT / package).rglob("*.py")):
                written.write(file, file.relative_to(ROOT))
    before = list(sys.path)
    context.addPyFile(str(archive))
    sys.path[:] = before  # the driver has it already
