"""What the local stack runs, fetched or built once per machine and kept in the cache outside the checkout."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from runtime.errors import PlatformError
from runtime.settings import cache_folder

CONFIG = Path(__file__).resolve().parents[1] / "config"
MINIO_MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"


class StackError(PlatformError):
    """The stack can't be installed or started; the message is one line for people."""


def kafka_jars() -> Path:
    """Folder of the Kafka broker's jars, and of the agent that gives its metrics."""
    return _jars("kafka-jars", "jmx_prometheus_javaagent-*.jar")


def spark_jars() -> Path:
    """Folder of Spark's Kafka source and S3 jars."""
    return _jars("spark-jars", "spark-sql-kafka-*.jar")


def hadoop_jars() -> Path:
    """Folder of the jars of HDFS and YARN, for Oozie."""
    return _jars("hadoop-jars", "hadoop-hdfs-3*.jar")


def oozie_jars() -> Path:
    """Folder of Oozie's server, tools and web application."""
    return _jars("oozie-jars", "oozie-webapp-*.war")


def minio() -> Path:
    """The MinIO server, compiled from its Go module."""
    binary = cache_folder() / "bin" / "minio"
    with one_at_a_time("minio"):
        if not binary.exists():
            go = tool("go", "Go 1.24 or later")
            print("MinIO: compiling the server from source, once per machine (2 to 10 minutes)", flush=True)
            run([go, "install", MINIO_MODULE], "MinIO", os.environ | {"GOBIN": str(binary.parent), "CGO_ENABLED": "0"})
    return binary


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Whoever else is about to make the same thing in the cache waits, and finds it there."""
    with ExitStack() as held:
        with suppress(OSError):  # a cache that can only be read, as an image's: nobody makes anything in it
            cache_folder().mkdir(parents=True, exist_ok=True)
            lock = held.enter_context(open(cache_folder() / f"{name}.lock", "w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tool(name: str, what: str) -> str:
    """Path of a program that must be there; StackError says what to install."""
    found = shutil.which(name)
    if not found:
        raise StackError(
            f"local stack: {what} must be installed ('{name}' is not on the PATH); "
            "or use Docker Compose (`make compose-up`)"
        )
    return found


def _jars(name: str, sign: str) -> Path:
    folder = cache_folder() / name
    with one_at_a_time(name):
        if not any(folder.glob(sign)):
            mvn = tool("mvn", "Maven")
            print(f"{name}: fetching with Maven, once per machine", flush=True)
            goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
            pom = CONFIG / name / "pom.xml"
            run([mvn, "-q", "-B", "-f", str(pom), goal, f"-DoutputDirectory={folder}"], name, dict(os.environ))
    return folder


def run(command: list[str], name: str, environ: dict[str, str] | None = None, folder: Path | None = None) -> None:
    """Run a step of making `name`, in `folder`; StackError says how it failed."""
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise StackError(f"{name}: {command[0]} must succeed; got exit status {done.returncode}: {last[0]}")


def main() -> int:
    """Fetch and build what is missing; 0 when everything is there."""
    try:
        tool("java", "Java 17")
        print(f"Kafka: {kafka_jars()}\nSpark: {spark_jars()}\nMinIO: {minio()}")
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
