"""Where a server may listen: open to whom this machine is, closed to everyone else."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from runtime.logs import Log
from runtime.settings import OPERATOR, SECRETS, Settings, SettingsError

LOG = Log("serving")
# Secrets that stand in samples and in other people's documentation, in lower case.
SAMPLES = ("minioadmin", "minioadmin123", "password", "secret", "changeme", "change-me", "admin")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check(settings: Settings) -> None:
    """SettingsError where the server may not start as it is set; a line of the log where it lets everyone in."""
    host, profile = settings.serving_host, settings.authentication
    if profile == "local" and not is_loopback(host):
        raise SettingsError(
            f"setting AUTHENTICATION: must be 'required' to listen beyond this machine; got 'local' with {host!r}"
        )
    if bool(settings.serving_certificate) != bool(settings.serving_certificate_key):
        raise SettingsError("setting SERVING_CERTIFICATE: must be set with SERVING_CERTIFICATE_KEY; got one of them")
    address = settings.public_address or ""
    if address.startswith("http://") and not is_loopback(urlsplit(address).hostname or ""):
        raise SettingsError(f"setting PUBLIC_ADDRESS: must start with https:// beyond this machine; got {address!r}")
    if is_loopback(host):
        if profile == "local":
            LOG.info("whoever reaches this server sees everything", authentication=profile, host=host)
        return
    for name in SECRETS:
        value = getattr(settings, name.lower())
        if value and value.lower().removeprefix(OPERATOR) in SAMPLES:
            raise SettingsError(f"setting {name}: must be no sample's to listen beyond this machine; got a sample's")
