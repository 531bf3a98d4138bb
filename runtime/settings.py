"""Settings: read once, at the edge, from the environment over `config/defaults.env`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from runtime.errors import PlatformError

# Beside this module in a wheel, which has no `config/`.
_PACKAGED = Path(__file__).with_name("defaults.env")
DEFAULTS = _PACKAGED if _PACKAGED.exists() else Path(__file__).resolve().parents[1] / "config" / "defaults.env"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("logfmt", "json")
PROFILES = ("local", "open", "required")
SHORTEST_KEY = 32
MEMORY = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]I?B)")
MEMORY_UNITS = {
    f"{letter}{kind}": base**power
    for power, letter in enumerate("KMGT", 1)
    for kind, base in (("B", 1000), ("IB", 1024))
}


class SettingsError(PlatformError, ValueError):
    """A setting has an unusable value."""


@dataclass(frozen=True)
class Setting:
    """One line of the defaults file: its environment name, its default and its help."""

    name: str
    default: str
    help: str


@dataclass(frozen=True)
class Settings:
    """Every setting of the platform, typed; a field's environment name is its name in upper case."""

    kafka_bootstrap_servers: str
    minio_endpoint: str
    minio_access_key: str
    minio_secret_key: str
    master_dataset: str
    batch_views: str
    speed_views: str
    quarantine: str
    hdfs_http_port: int
    hdfs_master_dataset: str
    ingest_min_events: int
    ingest_max_events: int
    ingest_max_delay_seconds: int
    collector_host: str
    collector_port: int
    collector_standards: str
    collector_sources: str
    collector_data: str
    collector_waiting_bytes: int
    collector_patience_seconds: float
    canvas_keys: str | None
    serving_host: str
    serving_port: int
    api_address: str | None
    authentication: str
    identity: str
    oidc_issuer: str | None
    oidc_audience: str
    oidc_role_claim: str
    oidc_person_claim: str
    pseudonym_key: str | None
    spark_master: str
    spark_driver_memory: str
    task_memory: str
    spark_ui_port: int | None
    spark_event_log: str | None
    spark_jars: str | None
    trigger_seconds: float
    speed_max_events: int
    compact_after_seconds: int
    poll_seconds: float
    serving_memory: str
    duplicate_days: int
    keep_runs: int
    log_level: str
    log_format: str
    metrics_host: str
    metrics_port: int | None
    batch_metrics: str | None

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Settings of `environ`, and of the defaults file where it says nothing; raises `SettingsError`."""
        texts = {s.name: environ.get(s.name, s.default).strip() for s in declared()}
        values = {f.name: _typed(f.name.upper(), str(f.type), texts) for f in fields(cls)}
        settings = cls(**values)  # type: ignore[arg-type]
        settings._check()
        return settings

    @property
    def bucket(self) -> str:
        """The bucket of the raw events, or the empty string where they are not in an S3 store."""
        scheme, _, rest = self.master_dataset.partition("://")
        return rest.split("/")[0] if scheme in ("s3a", "s3") else ""

    @property
    def serving_bytes(self) -> int:
        """The memory of the serving layer's state."""
        number, unit = MEMORY.fullmatch(self.serving_memory.upper()).groups()  # type: ignore[union-attr]
        return int(float(number) * MEMORY_UNITS[unit])

    def _check(self) -> None:
        if not self.minio_endpoint.startswith(("http://", "https://")):
            raise SettingsError(
                f"setting MINIO_ENDPOINT: must start with http:// or https://; got {self.minio_endpoint!r}"
            )
        if self.api_address and not self.api_address.startswith(("http://", "https://")):
            raise SettingsError(f"setting API_ADDRESS: must start with http:// or https://; got {self.api_address!r}")
        if not self.hdfs_master_dataset.startswith("hdfs://"):
            raise SettingsError(
                f"setting HDFS_MASTER_DATASET: must start with hdfs://; got {self.hdfs_master_dataset!r}"
            )
        if self.pseudonym_key is not None and len(self.pseudonym_key) < SHORTEST_KEY:
            raise SettingsError(
                f"setting PSEUDONYM_KEY: must have at least {SHORTEST_KEY} characters; got {len(self.pseudonym_key)}"
            )
        choices_of = (("log_level", LOG_LEVELS), ("log_format", LOG_FORMATS), ("authentication", PROFILES))
        for name, choices in choices_of:
            if getattr(self, name) not in choices:
                raise SettingsError(
                    f"setting {name.upper()}: must be one of {', '.join(choices)}; got {getattr(self, name)!r}"
                )
        for name in ("serving_memory", "task_memory"):
            if not MEMORY.fullmatch(getattr(self, name).upper()):
                raise SettingsError(f"setting {name.upper()}: must be a size as in 4GB; got {getattr(self, name)!r}")
        for name in ("hdfs_http_port", "collector_port", "serving_port", "metrics_port", "spark_ui_port"):
            if not 0 <= (getattr(self, name) or 0) <= 65535:
                raise SettingsError(
                    f"setting {name.upper()}: must be a port from 0 to 65535; got {getattr(self, name)}"
                )
        for name in ("trigger_seconds", "duplicate_days", "keep_runs", "ingest_min_events", "ingest_max_delay_seconds"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise SettingsError(f"setting {name.upper()}: must be 0 or more; got {getattr(self, name)}")
        for name in ("ingest_max_events", "speed_max_events", "collector_waiting_bytes", "collector_patience_seconds"):
            if getattr(self, name) < 1:
                raise SettingsError(f"setting {name.upper()}: must be 1 or more; got {getattr(self, name)}")


def declared(path: Path = DEFAULTS) -> tuple[Setting, ...]:
    """The settings of the defaults file in its order, each with the comment above it as help."""
    found, comment = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            comment = f"{comment} {line.lstrip('# ')}".strip()
        elif "=" in line:
            name, _, default = line.partition("=")
            found.append(Setting(name.strip(), default.strip(), comment))
            comment = ""
    return tuple(found)


def by_spark_submit() -> bool:
    """Whether spark-submit started this process: then it has decided where Spark runs."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where jars, the MinIO binary and virtual environments are kept, outside the checkout."""
    base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "learning-analytics"


def _typed(name: str, kind: str, texts: dict[str, str]) -> str | int | float | None:
    if name not in texts:
        raise SettingsError(f"setting {name}: must have a default in {DEFAULTS.name}; got none")
    text = texts[name]
    if kind.endswith(" | None"):
        if not text:
            return None
        kind = kind.removesuffix(" | None")
    if kind == "str":
        if not text:
            raise SettingsError(f"setting {name}: must not be empty; got {text!r}")
        return text
    try:
        return int(text) if kind == "int" else float(text)
    except ValueError:
        wanted = "a whole number" if kind == "int" else "a number"
        raise SettingsError(f"setting {name}: must be {wanted}; got {text!r}") from None
