"""Who is sending, from the headers of a request, and whether it sends too much."""

from __future__ import annotations

import base64
import binascii
import hmac

from starlette.requests import Request

from ingestion_layer.collecting.refusals import Refused, come_again
from ingestion_layer.collecting.sources import NONE, Source, Sources, digest_of, read_sources
from runtime.background import Background
from runtime.logs import Log
from runtime.settings import Settings
from runtime.storage.opening import open_store
from runtime.token_bucket import TokenBucket

LOG = Log("collector")
LOOK_SECONDS = 5.0
# Who sends without a key where everyone may.
ANYONE = "anyone"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="collector", charset="UTF-8"'}
# A source may send what it may in so many seconds at once.
BURST_SECONDS = 5.0


class Gate:
    """Lets in the sources that are declared; where AUTHENTICATION isn't "required", everyone, as source "anyone".

    Sources are read again every LOOK_SECONDS; while the store is away, what was read last counts on.
    """

    def __init__(self, settings: Settings):
        self.required = settings.authentication == "required"
        self._store = open_store(settings.collector_sources, settings)
        self._sources: Sources | None = None if self.required else NONE
        self._looking = Background("sources", LOG, self.look, LOOK_SECONDS)
        self._rates: dict[str, TokenBucket] = {}

    def start(self) -> None:
        """Begin to follow the sources."""
        self._looking.start()

    def stop(self) -> None:
        """Stop following them."""
        self._looking.stop()

    def look(self) -> None:
        """Read the sources."""
        self._sources = read_sources(self._store)[0]

    @property
    def ready(self) -> bool:
        """Whether it knows whom to let in."""
        return self._sources is not None

    def source(self, request: Request, standard: str) -> Source:
        """Who sends a request by a standard; see `sender`."""
        return self.sender(request.headers.get("authorization", ""), standard)

    def sender(self, header: str, standard: str) -> Source:
        """Whose an Authorization header is. Refused: 401 without a good key, 403 for another standard, 503 before it
        knows.
        """
        sources = self._sources
        if sources is None:
            raise come_again("sources", "must have been read; they haven't been yet")
        found = _source_of(header, sources) if header else None
        if found is None:
            if self.required or (header and _is_ours(header)):
                raise Refused(401, "authorization", "must be the key of a source, as Basic or Bearer", CHALLENGE)
            return Source(ANYONE, standard, origins=("*",))
        if found.standard != standard:
            raise Refused(403, "source", f"must be declared for {standard}; got one for {found.standard}")
        return found

    def origins(self, standard: str) -> frozenset[str]:
        """The pages whose scripts may send by a standard, "*" for any: a preflight tells no key."""
        if not self.required:
            return frozenset(("*",))
        sources = self._sources or NONE
        return frozenset(o for s in sources.by_name.values() if s.standard == standard for o in s.origins)

    def admit(self, source: Source, events: int) -> None:
        """Count events of a source; Refused with 429 where it sends more than it may."""
        if not source.rate:
            return
        rate = self._rates.get(source.name)
        if rate is None or rate.per_second != source.rate:
            rate = self._rates[source.name] = TokenBucket(source.rate, BURST_SECONDS)
        seconds = rate.take(events)
        if seconds:
            detail = f"must send at most {source.rate:g} events per second; come again in {seconds:.0f} s"
            raise come_again("rate", detail, seconds, 429)


def _is_ours(header: str) -> bool:
    """Whether somebody means to be a source: a browser's or proxy's other header harms nobody where all may send."""
    return header.partition(" ")[0].lower() in ("basic", "bearer") and "lc_" in _credential(header)[1]


def _source_of(header: str, sources: Sources) -> Source | None:
    name, key = _credential(header)
    found = sources.by_digest.get(digest_of(key))
    if found is None or (name is not None and not hmac.compare_digest(name.encode(), found.name.encode())):
        return None
    return found


def _credential(header: str) -> tuple[str | None, str]:
    """The name, None where none is told, and the key."""
    scheme, _, credential = header.partition(" ")
    credential = credential.strip()
    if scheme.lower() == "bearer":
        return None, credential
    if scheme.lower() != "basic":  # Caliper's sensors send the bare key
        return None, credential or scheme
    try:
        name, _, key = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, key
