"""Where a server may listen: open to whom this machine is, closed to everyone else."""

from __future__ import annotations

from ipaddress import ip_address

from runtime.logs import Log
from runtime.settings import Settings, SettingsError

LOG = Log("serving")
# Secrets that stand in samples, in lower case.
SAMPLES = ("minioadmin", "minioadmin123", "password", "secret", "changeme")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check(settings: Settings) -> None:
    """SettingsError where the server may not start as it is set; a warning where it lets everyone in."""
    host, profile = settings.serving_host, settings.authentication
    if profile == "local" and not is_loopback(host):
        raise SettingsError(
            f"setting AUTHENTICATION: must be 'required' to listen beyond this machine; got 'local' with {host!r}"
        )
    on_s3 = any(place.startswith(("s3a://", "s3://")) for place in (settings.batch_views, settings.identity))
    if profile == "required" and not is_loopback(host) and on_s3 and settings.minio_secret_key.lower() in SAMPLES:
        raise SettingsError(
            "setting MINIO_SECRET_KEY: must be no sample's to listen beyond this machine; got a sample's"
        )
    if profile != "required":
        say = LOG.info if is_loopback(host) else LOG.warning
        say("whoever reaches this server sees everything", authentication=profile, host=host)
