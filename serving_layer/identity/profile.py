"""Where a server may listen: open to whom this machine is, closed to everyone else."""

from __future__ import annotations

from urllib.parse import urlsplit

from runtime.addresses import check_exposure, is_loopback
from runtime.logs import Log
from runtime.settings import Settings, SettingsError

LOG = Log("serving")


def check(settings: Settings) -> None:
    """SettingsError where the server may not start as it is set; a line of the log where it lets everyone in."""
    host, profile = settings.serving_host, settings.authentication
    check_exposure(host, settings)
    if bool(settings.serving_certificate) != bool(settings.serving_certificate_key):
        raise SettingsError("setting SERVING_CERTIFICATE: must be set with SERVING_CERTIFICATE_KEY; got one of them")
    address = settings.public_address or ""
    if address.startswith("http://") and not is_loopback(urlsplit(address).hostname or ""):
        raise SettingsError(f"setting PUBLIC_ADDRESS: must start with https:// beyond this machine; got {address!r}")
    if is_loopback(host) and profile == "local":
        LOG.info("whoever reaches this server sees everything", authentication=profile, host=host)
