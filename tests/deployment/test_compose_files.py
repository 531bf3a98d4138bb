"""Compose's files and the Dockerfiles, without running them: pinned, bounded, ordered, and in step with the
settings.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from deployment.images.build import IMAGES
from deployment.installation import CONFIG, MINIO_MODULE
from deployment.keys import EVERY
from deployment.pins import image, pins
from runtime.settings import SECRETS, declared

ROOT = CONFIG.parent
NO_HEALTH = {
    "storage": "makes a folder and ends",
    "provision": "makes topics and the bucket and ends",
    "coordinator": "submits the daily run and ends",
    "batch": "one run that ends",
}
NOT_SETTINGS = ("KAFKA_", "MINIO_ROOT_", "MINIO_PROMETHEUS_", "MINIO_BROWSER", "GF_", "GRAFANA_", "CLUSTER_ID")
MOST_GIGABYTES = 16


@cache
def files() -> tuple[dict, dict]:
    """The services as Compose sees them, with the names of `.env` filled in, and those of the override."""
    texts = [(CONFIG / f"docker-compose{part}.yml").read_text(encoding="utf-8") for part in ("", ".local")]
    filled = [re.sub(r"\$\{(\w+)\}", lambda match: pins()[match[1]], text) for text in texts]
    return yaml.safe_load(filled[0]), yaml.safe_load(filled[1])


SERVICES = list(files()[0]["services"])


def service(name: str) -> dict:
    return files()[0]["services"][name]


def test_every_process_of_the_platform_is_there():
    asked = {
        "kafka",
        "minio",
        "provision",
        "ingestion",
        "speed",
        "serving",
        "oozie",
        "prometheus",
        "grafana",
        "producer",
    }
    assert asked <= set(SERVICES)
    assert service("producer")["profiles"] == ["producer"]


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_pinned_bounded_and_watched(name):
    found = service(name)
    tag = found["image"].rpartition(":")[2]
    assert re.search(r"\d", tag) and tag != "latest", "an image is named with its version"
    assert "mem_limit" in found
    assert found["cap_drop"] == ["ALL"] and found["security_opt"] == ["no-new-privileges:true"]
    assert found.get("user") not in ("0", "root") and not found.get("privileged")
    assert found["restart"] in (("no", "on-failure") if name in NO_HEALTH else ("unless-stopped",))
    assert ("healthcheck" in found) != (name in NO_HEALTH)


@pytest.mark.parametrize("name", SERVICES)
def test_the_page_tells_of_every_service(name):
    page = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
    table = page[page.index("## What runs") : page.index("## Configuration")]
    assert re.search(rf"^\|[^|]*`{name}`", table, re.MULTILINE)


def test_starts_are_ordered():
    for name in SERVICES:
        for other, how in service(name).get("depends_on", {}).items():
            ends = how["condition"] == "service_completed_successfully"
            assert ends == (other in NO_HEALTH), f"{name} waits for {other}"
            assert other in SERVICES


def test_memory_fits_one_machine():
    units = {"m": 1 / 1024, "g": 1}
    limits = {name: float(service(name)["mem_limit"][:-1]) * units[service(name)["mem_limit"][-1]] for name in SERVICES}
    # The projection needs a database of somebody's own, and memory beside that of the platform.
    staying = sum(limit for name, limit in limits.items() if name not in (*NO_HEALTH, "projection"))
    assert staying <= MOST_GIGABYTES


def gigabytes(text: str) -> float:
    """Of a size as Compose, Java or DuckDB write it: m and g are powers of 1024, MB and GB of 1000."""
    size = re.fullmatch(r"([\d.]+)([mgMG]B?)", text)
    assert size, text
    number, unit = size.groups()
    base = 1000 if unit.endswith("B") else 1024
    return float(number) * base ** (3 if unit[0] in "gG" else 2) / 2**30


def test_what_a_batch_run_takes_fits_its_containers_limit():
    """The rule of docs/deployment-guide.md, Sizing."""
    hadoop = dict(re.findall(r"^(.*)=(\d+)$", (CONFIG / "hadoop.env").read_text(encoding="utf-8"), re.MULTILINE))
    memory = int(hadoop["YARN-SITE.XML_yarn.nodemanager.resource.memory-mb"])
    side_by_side = memory // int(hadoop["OOZIE-SITE.XML_oozie.launcher.default.memory.mb"])
    assert side_by_side >= 1
    for name, jobs, beside in (("batch", 1, 0.0), ("oozie", side_by_side, 1.6 + side_by_side * 0.2)):
        settings = service(name)["environment"]
        tasks = int(re.fullmatch(r"local\[(\d)\]", settings["SPARK_MASTER"])[1])
        job = gigabytes(settings["SPARK_DRIVER_MEMORY"]) + tasks * gigabytes(settings["TASK_MEMORY"]) + 0.6
        assert beside + jobs * job <= gigabytes(service(name)["mem_limit"]), name


def test_kafka_tells_clients_the_name_they_can_reach():
    text = (CONFIG / "docker-compose.yml").read_text(encoding="utf-8")
    assert "KAFKA_ADVERTISED_LISTENERS: INSIDE://kafka:19092,OUTSIDE://${ADVERTISED_HOST}:${KAFKA_PORT}\n" in text
    assert pins()["ADVERTISED_HOST"] == "localhost"


def test_published_ports_are_of_loopback_and_all_different():
    published = [port for name in SERVICES for port in service(name).get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    outside = [port.split(":")[1] for port in published]
    assert len(set(outside)) == len(outside)


def test_minio_s_console_is_off_unless_it_is_asked_for():
    minio = service("minio")
    assert minio["environment"]["MINIO_BROWSER"] == "off" and "--console-address" not in minio["command"]
    assert [port.rpartition(":")[2] for port in minio["ports"]] == ["9000"]
    asked = yaml.safe_load((CONFIG / "docker-compose.console.yml").read_text(encoding="utf-8"))["services"]["minio"]
    assert asked["environment"] == {"MINIO_BROWSER": "on"} and "--console-address" in asked["command"]
    assert asked["ports"] == ["${BIND_ADDRESS}:${MINIO_CONSOLE_PORT}:9001"]
    assert pins()["MINIO_CONSOLE_PORT"] not in service("serving")["environment"]["OPERATOR_PAGES"]
    dockerfile = (ROOT / "minio" / "Dockerfile").read_text(encoding="utf-8")
    assert "9001" not in dockerfile and "MINIO_BROWSER=off" in dockerfile


def test_volumes_are_named_and_declared():
    declared_volumes = set(files()[0]["volumes"])
    used = {v.split(":")[0] for name in SERVICES for v in service(name).get("volumes", ()) if not v.startswith("..")}
    assert used == declared_volumes
    for name in SERVICES:
        for volume in service(name).get("volumes", ()):
            if volume.startswith(".."):
                assert (CONFIG / volume.split(":")[0]).exists(), f"{name} mounts what is there"


def test_our_user_may_write_to_our_volumes():
    """An empty volume takes over what the image has there: a folder that it hasn't becomes root's."""
    image_has = re.search(
        r"install -d -o platform (.*)$", (ROOT / "deployment/images/Dockerfile").read_text(), re.MULTILINE
    )
    assert image_has
    for name in SERVICES:
        if service(name)["image"] == image("platform") and name != "storage":
            places = [v.split(":")[1] for v in service(name).get("volumes", ()) if not v.endswith(":ro")]
            assert set(places) <= set(image_has[1].split()), name


def test_variables_are_settings():
    names = {setting.name for setting in declared()}
    for name in SERVICES:
        for variable in service(name).get("environment", {}):
            known = variable in names or variable.removesuffix("_FILE") in SECRETS
            assert known or variable.startswith(NOT_SETTINGS), f"{name} sets {variable}"


def test_secrets_stand_in_no_file():
    text = (CONFIG / "docker-compose.yml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if re.search(r"(SECRET|PASSWORD|ACCESS_KEY)\w*:", line):
            assert re.search(r": (\$\{\w+\}|/var/lib/keys/\w+)$", line), f"a key is in a file; got {line.strip()!r}"
    assert [name for name, value in pins().items() if re.search("KEY|PASSWORD|SECRET", name) and value] == []
    assert service("serving")["environment"]["AUTHENTICATION"] == "required"


@pytest.mark.parametrize("name", SERVICES)
def test_who_reads_a_key_has_the_keys(name):
    found = service(name)
    reads = [v for v in found.get("environment", {}).values() if str(v).startswith("/var/lib/keys/")]
    mounts = [v for v in found.get("volumes", ()) if v.startswith("keys:")]
    assert mounts == ["keys:/var/lib/keys"] if name == "storage" else not reads or mounts == ["keys:/var/lib/keys:ro"]
    assert {v.rpartition("/")[2] for v in reads} <= EVERY.keys()


def test_override_names_images_that_are_built_and_leaves_grafana_out():
    local = files()[1]["services"]
    assert local.pop("grafana") == {"profiles": ["registry"]}
    built = {image(name) for name in IMAGES}
    for name, part in local.items():
        assert part["image"] in built, name
    ours = {name for name in SERVICES if service(name)["image"].startswith("learning-analytics/")}
    assert ours | set(local) | {"grafana"} == set(SERVICES), "without a registry nothing else must be pulled"
    assert all(service(name)["image"] in built and "build" in service(name) for name in ours)


@pytest.mark.parametrize("dockerfile", sorted({found.dockerfile for found in IMAGES.values()}))
def test_dockerfiles_defaults_are_the_pins(dockerfile):
    text = Path(ROOT / dockerfile).read_text(encoding="utf-8")
    known = pins() | {"PLATFORM_IMAGE": image("platform"), "MINIO_MODULE": MINIO_MODULE}
    for name, value in re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE):
        assert value == known[name], f"{name} in {dockerfile}"
    for version in re.findall(r"learning-analytics/[a-z]+:([\d.]+)", text):
        assert version == pins()["PLATFORM_VERSION"]
    last_user = re.findall(r"^USER (\d+)$", text, re.MULTILINE)
    assert "FROM ${PLATFORM_IMAGE}" in text or (last_user and last_user[-1] != "0"), "no image runs as root"
