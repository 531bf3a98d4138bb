"""What spark-submit is given goes before the defaults of the project's sessions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deployment.local_stack import ROOT

SCRIPT = """
from runtime.settings import Settings
from runtime.spark.session import session

conf = session("check", Settings.load()).sparkContext.getConf()
print("found", conf.get("spark.master"), conf.get("spark.sql.shuffle.partitions"),
conf.get("spark.sql.session.timeZone"))
"""


def test_given_properties_stay(tmp_path):
    script = tmp_path / "check.py"
    script.write_text(SCRIPT)
    given = ("--master", "local[1]", "--conf", "spark.sql.shuffle.partitions=3")
    command = [str(Path(sys.executable).with_name("spark-submit")), *given, str(script)]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, "SPARK_MASTER": "local[2]"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180)
    assert "found local[1] 3 UTC\n" in done.stdout, done.stderr
