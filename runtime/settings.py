"""Settings: read once, at the edge, from the environment over `config/defaults.env`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from runtime.errors import PlatformError

# Beside this module in a wheel, which has no `config/`.
_PACKAGED = Path(__file__).with_name("defaults.env")
DEFAULTS = _PACKAGED if _PACKAGED.exists() else Path(__file__).resolve().parents[1] / "config" / "defaults.env"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("logfmt", "json")
PROFILES = ("local", "required")
KAFKA_SECURITY = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
SHORTEST_KEY = 32
# Settings that nobody may read over a shoulder: each may also be given as a file, by its name with _FILE behind it.
SECRETS = (
    "MINIO_ACCESS_KEY",
    "MINIO_SECRET_KEY",
    "PSEUDONYM_KEY",
    "ERASURE_KEY",
    "OPERATOR_KEY",
    "API_KEY",
    "OIDC_CLIENT_SECRET",
    "KAFKA_PASSWORD",
)
# Those of the local stack, which `make up` makes; they count where the environment names none.
LOCAL_KEYS = DEFAULTS.parents[1] / ".local" / "keys.env"
OPERATOR = "la_operator_"
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


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting of the platform, typed; a field's environment name is its name in upper case."""

    kafka_bootstrap_servers: str
    kafka_security: str
    kafka_authority: str | None
    kafka_sasl_mechanism: str
    kafka_username: str | None
    kafka_password: str | None = field(repr=False)
    minio_endpoint: str
    minio_authority: str | None
    minio_access_key: str = field(repr=False)
    minio_secret_key: str = field(repr=False)
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
    collector_addresses: str | None
    operator_pages: str | None
    serving_host: str
    serving_port: int
    api_address: str | None
    api_key: str | None = field(repr=False)
    authentication: str
    operator_key: str | None = field(repr=False)
    identity: str
    oidc_issuer: str | None
    oidc_audience: str
    oidc_role_claim: str
    oidc_person_claim: str
    oidc_client_id: str | None
    oidc_client_secret: str | None = field(repr=False)
    public_address: str | None
    session_seconds: int
    pseudonym_key: str | None = field(repr=False)
    erasure_key: str | None = field(repr=False)
    projection_database: str | None = field(repr=False)
    disclosure_log: str
    disclosure_stops: str
    disclosure_days: int
    rate_limit: float
    query_seconds: float
    most_connections: int
    serving_certificate: str | None
    serving_certificate_key: str | None
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
    def load(cls, environ: Mapping[str, str] | None = None, **chosen: str | None) -> Settings:
        """Settings of `environ`, and of the defaults file where it says nothing; raises `SettingsError`.

        Without one they are of `process_environ`. What is `chosen`, on a command line, counts before both.
        """
        environ = dict(process_environ() if environ is None else environ)
        environ |= {name: text for name, text in chosen.items() if text is not None}
        texts = {s.name: _text(s, environ).strip() for s in declared()}
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
        for name in ("api_address", "public_address", "oidc_issuer"):
            address = getattr(self, name)
            if address and not address.startswith(("http://", "https://")):
                raise SettingsError(f"setting {name.upper()}: must start with http:// or https://; got {address!r}")
        if not self.hdfs_master_dataset.startswith("hdfs://"):
            raise SettingsError(
                f"setting HDFS_MASTER_DATASET: must start with hdfs://; got {self.hdfs_master_dataset!r}"
            )
        for name in ("pseudonym_key", "erasure_key"):
            if 0 < len(getattr(self, name) or "") < SHORTEST_KEY:
                raise SettingsError(
                    f"setting {name.upper()}: must have at least {SHORTEST_KEY} characters; "
                    f"got {len(getattr(self, name))}"
                )
        own = self.operator_key
        if own is not None and (not own.startswith(OPERATOR) or len(own) < len(OPERATOR) + SHORTEST_KEY):
            raise SettingsError(
                f"setting OPERATOR_KEY: must be {OPERATOR} and at least {SHORTEST_KEY} characters; got {len(own)}"
            )
        if self.kafka_security.startswith("SASL") and not (self.kafka_username and self.kafka_password):
            raise SettingsError(
                f"setting KAFKA_USERNAME: must be set, and KAFKA_PASSWORD, for {self.kafka_security}; got none"
            )
        choices_of: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("log_level", LOG_LEVELS),
            ("log_format", LOG_FORMATS),
            ("authentication", PROFILES),
        )
        choices_of += (("disclosure_stops", ("yes", "no")), ("kafka_security", KAFKA_SECURITY))
        choices_of += (("kafka_sasl_mechanism", SASL_MECHANISMS),)
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
        for name in (
            "trigger_seconds",
            "rate_limit",
            "duplicate_days",
            "keep_runs",
            "ingest_min_events",
            "ingest_max_delay_seconds",
        ):
            if not 0 <= getattr(self, name) < float("inf"):
                raise SettingsError(f"setting {name.upper()}: must be 0 or more; got {getattr(self, name)}")
        for name in (
            "ingest_max_events",
            "speed_max_events",
            "collector_waiting_bytes",
            "collector_patience_seconds",
            "session_seconds",
            "disclosure_days",
            "query_seconds",
            "most_connections",
        ):
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


def keys_of(file: Path) -> dict[str, str]:
    """The keys of an env file of NAME=value lines; none where it isn't there."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: must be a file of keys that this user may read; got {error}") from None
    return {name: value for name, sign, value in (line.partition("=") for line in lines) if sign}


def process_environ() -> dict[str, str]:
    """The environment of this process, and the local stack's keys where it names neither a key nor another store."""
    environ = dict(os.environ)
    if "MINIO_ENDPOINT" in environ:
        return environ
    known = keys_of(LOCAL_KEYS)
    return {name: text for name, text in known.items() if f"{name}_FILE" not in environ} | environ


def _text(setting: Setting, environ: Mapping[str, str]) -> str:
    """The setting's own text; a secret's may stand in the file that its name with _FILE says."""
    file = environ.get(f"{setting.name}_FILE", "") if setting.name in SECRETS else ""
    if not file:
        return environ.get(setting.name, setting.default)
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"setting {setting.name}_FILE: must be a file of text; got {error}") from None


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
