"""Settings: the environment over the defaults file, typed, and one line for what is unusable."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from runtime import settings as module
from runtime.settings import LOG_FORMATS, SECRETS, Settings, SettingsError, cache_folder, declared

ROOT = Path(__file__).resolve().parents[2]
KINDS = {f.name.upper(): str(f.type) for f in fields(Settings)}


def refused(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.load(environ)
    text = str(caught.value)
    assert text.startswith("setting ") and "\n" not in text
    return text


def test_without_an_environment_the_defaults_hold():
    loaded = Settings.load({})
    for setting in declared():
        value = getattr(loaded, setting.name.lower())
        if value is None:
            assert KINDS[setting.name].endswith(" | None") and setting.default == ""
            continue
        assert type(value).__name__ == KINDS[setting.name].removesuffix(" | None")
        assert str(value) == setting.default or float(setting.default) == value


@pytest.mark.parametrize("name", KINDS)
def test_the_environment_goes_before_the_defaults(name):
    text = {"str": "given", "int": "17", "float": "17.5"}[KINDS[name].removesuffix(" | None")]
    text = {
        "MINIO_ENDPOINT": "https://store:9",
        "API_ADDRESS": "https://api:8",
        "PUBLIC_ADDRESS": "https://api.example",
        "OIDC_ISSUER": "https://issuer.example",
        "AUTHENTICATION": "required",
        "KAFKA_SECURITY": "SSL",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "DISCLOSURE_STOPS": "no",
        "PSEUDONYM_KEY": "k" * 32,
        "ERASURE_KEY": "k" * 32,
        "OPERATOR_KEY": "la_operator_" + "k" * 32,
        "HDFS_MASTER_DATASET": "hdfs://node/raw",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": LOG_FORMATS[-1],
        "SERVING_MEMORY": "3GB",
        "TASK_MEMORY": "0.5 GiB",
    }.get(name, text)
    loaded = Settings.load({name: f" {text} ", "UNKNOWN_SETTING": "x"})
    assert str(getattr(loaded, name.lower())) == text
    others = [f.name for f in fields(Settings) if f.name != name.lower()]
    assert all(getattr(loaded, other) == getattr(Settings.load({}), other) for other in others)


@pytest.mark.parametrize("name", [n for n, kind in KINDS.items() if not kind.endswith(" | None")])
def test_an_empty_value_is_named(name):
    assert refused(**{name: " "}).startswith(f"setting {name}: must ")


@pytest.mark.parametrize("name", [n for n, kind in KINDS.items() if not kind.startswith("str")])
@pytest.mark.parametrize("text", ["many", "1e", "0x10", "１x"])
def test_what_is_no_number_is_named(name, text):
    said = refused(**{name: text})
    assert said.startswith(f"setting {name}: must be a") and said.endswith(f"got {text!r}")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("MINIO_ENDPOINT", "127.0.0.1:9000", "must start with http:// or https://"),
        ("AUTHENTICATION", "off", "must be one of local, required; got 'off'"),
        ("PSEUDONYM_KEY", "short", "must have at least 32 characters; got 5"),
        ("HDFS_MASTER_DATASET", "rubbish", "must start with hdfs://; got 'rubbish'"),
        ("LOG_LEVEL", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR"),
        ("SERVING_MEMORY", "much", "must be a size as in 4GB"),
        ("TASK_MEMORY", "1g", "must be a size as in 4GB"),
        ("TASK_MEMORY", "-1GB", "must be a size as in 4GB"),
        ("SERVING_PORT", "70000", "must be a port from 0 to 65535"),
        ("HDFS_HTTP_PORT", "-1", "must be a port from 0 to 65535"),
        ("TRIGGER_SECONDS", "nan", "must be 0 or more"),
        ("TRIGGER_SECONDS", "inf", "must be 0 or more"),
        ("DUPLICATE_DAYS", "-1", "must be 0 or more"),
        ("KEEP_RUNS", "-2", "must be 0 or more"),
        ("KAFKA_SECURITY", "SASL_SSL", "setting KAFKA_USERNAME: must be set, and KAFKA_PASSWORD"),
        ("KAFKA_SECURITY", "TLS", "must be one of PLAINTEXT, SSL"),
        ("DISCLOSURE_STOPS", "maybe", "must be one of yes, no"),
        ("RATE_LIMIT", "-1", "must be 0 or more"),
        ("QUERY_SECONDS", "0.5", "must be 1 or more"),
        ("PUBLIC_ADDRESS", "api.example", "must start with http:// or https://"),
        ("SESSION_SECONDS", "0", "must be 1 or more"),
        ("INGEST_MIN_EVENTS", "-1", "must be 0 or more"),
        ("INGEST_MAX_EVENTS", "0", "must be 1 or more"),
        ("SPEED_MAX_EVENTS", "0", "must be 1 or more"),
    ],
)
def test_values_out_of_range_are_named(name, text, said):
    assert said in refused(**{name: text})


@pytest.mark.parametrize(
    ("master_dataset", "bucket"),
    [("s3a://bucket-0/master_dataset", "bucket-0"), ("s3://b", "b"), ("hdfs://node/raw", ""), ("/data/raw", "")],
)
def test_the_bucket_is_the_raw_events(master_dataset, bucket):
    assert Settings.load({"MASTER_DATASET": master_dataset}).bucket == bucket


def test_the_cache_is_outside_the_checkout():
    assert cache_folder({"XDG_CACHE_HOME": "/cache"}) == Path("/cache/learning-analytics")
    assert ROOT not in cache_folder({}).parents


def test_nothing_but_the_edge_reads_the_environment():
    """Below the edge a setting comes as an argument: only what starts processes or sessions looks around itself."""
    edges = {"runtime/settings.py", "runtime/scratch.py", "runtime/spark/session.py", "runtime/spark/submitted.py"}
    layers = ("runtime", "catalogue", "ingestion_layer", "batch_layer", "speed_layer", "serving_layer")
    readers = {
        str(path.relative_to(ROOT))
        for layer in layers
        for path in (ROOT / layer).rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    }
    assert readers <= edges


def test_a_secret_may_stand_in_a_file(tmp_path):
    file = tmp_path / "secret"
    text = "la_operator_" + "x" * 40
    file.write_text(text + "\n")
    for name in SECRETS:
        loaded = Settings.load({f"{name}_FILE": str(file)})
        assert getattr(loaded, name.lower()) == text and text not in repr(loaded)
        assert refused(**{f"{name}_FILE": str(tmp_path / "none")}).startswith(f"setting {name}_FILE: must be a file")


def test_the_local_stack_s_keys_count_where_no_other_store_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOCAL_KEYS", tmp_path / "keys.env")
    for name in ("MINIO_ENDPOINT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert Settings.load().minio_secret_key == Settings.load({}).minio_secret_key
    (tmp_path / "keys.env").write_text("MINIO_ACCESS_KEY=made\nMINIO_SECRET_KEY=at=random\n")
    assert (Settings.load().minio_access_key, Settings.load().minio_secret_key) == ("made", "at=random")
    monkeypatch.setenv("MINIO_SECRET_KEY", "own")
    assert Settings.load().minio_secret_key == "own"
    monkeypatch.delenv("MINIO_SECRET_KEY")
    monkeypatch.setenv("MINIO_ENDPOINT", "https://store.example")
    assert Settings.load().minio_access_key == Settings.load({}).minio_access_key
