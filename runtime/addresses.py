"""Addresses that a server listens on, and what has to be set before others than this machine reach it."""

from __future__ import annotations

from ipaddress import ip_address

from runtime.settings import OPERATOR, SECRETS, Settings, SettingsError

# Secrets that stand in samples and in other people's documentation, in lower case.
SAMPLES = ("minioadmin", "minioadmin123", "password", "secret", "changeme", "change-me", "admin")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_exposure(host: str, settings: Settings) -> None:
    """SettingsError where others than this machine could come in without a key, or by a key that everyone knows."""
    if is_loopback(host):
        return
    if settings.authentication == "local":
        raise SettingsError(
            f"setting AUTHENTICATION: must be 'required' to listen beyond this machine; got 'local' with {host!r}"
        )
    for name in SECRETS:
        value = getattr(settings, name.lower())
        if value and value.lower().removeprefix(OPERATOR) in SAMPLES:
            raise SettingsError(f"setting {name}: must be no sample's to listen beyond this machine; got a sample's")
