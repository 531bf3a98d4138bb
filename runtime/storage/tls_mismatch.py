"""Why a store that is there can't be spoken to: one of us speaks TLS and the other not, or it isn't known."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing, suppress
from urllib.parse import urlsplit

WAIT_SECONDS = 3
PORTS = {"http": 80, "https": 443}


def mismatch(endpoint: str, told: str) -> str:
    """What is wrong with how `endpoint` is spoken to, of which an attempt `told`; empty for other faults."""
    scheme, _, place = endpoint.partition("://")
    if scheme == "http":
        return (
            f"MINIO_ENDPOINT must be https://{place}, as TLS is spoken there; got {endpoint}" if _tls(endpoint) else ""
        )
    if "WRONG_VERSION_NUMBER" in told or "RECORD_LAYER_FAILURE" in told:
        return f"MINIO_ENDPOINT must be http://{place}, as no TLS is spoken there; got {endpoint}"
    if "CERTIFICATE_VERIFY_FAILED" in told:
        reason = told.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "another"
        return f"the certificate of {endpoint} must be of an authority that MINIO_AUTHORITY names; got {reason}"
    return ""


def _tls(endpoint: str) -> bool:
    """Whether whoever listens there greets by TLS, with whatever certificate."""
    parts = urlsplit(endpoint)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with suppress(OSError, ValueError):
        place = (parts.hostname or "", parts.port or PORTS[parts.scheme])
        with (
            closing(socket.create_connection(place, WAIT_SECONDS)) as plain,
            closing(context.wrap_socket(plain, server_hostname=parts.hostname)),
        ):
            return True
    return False
