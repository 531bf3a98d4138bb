"""The query API as a client sees it: over HTTP, at the address that settings name."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any

from deployment.command.printing import CommandProblem, WrongUse
from deployment.local_layers import DATA, LocalLayers
from runtime.settings import Settings

TIMEOUT_SECONDS = 60
Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """An answer's bytes and headers."""

    body: bytes
    headers: Message

    def json(self) -> Any:
        """The body as the JSON value that it is."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Api:
    """The API at `address`; CommandProblem where it refuses (exit status 2) or can't be had (1)."""

    address: str
    key: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Api:
        """The API of API_ADDRESS, else the one that runs beside the local stack, else where one would listen."""
        if settings.api_address:
            return cls(settings.api_address.rstrip("/"), settings.api_key)
        local = LocalLayers(DATA)
        if local.running("serving"):
            return cls(local.address, settings.api_key)
        host = "127.0.0.1" if settings.serving_host in ("0.0.0.0", "::") else settings.serving_host
        return cls(f"http://{host}:{settings.serving_port}", settings.api_key)

    def get(self, path: str, parameters: Parameters = ()) -> Answer:
        """The answer of a route."""
        url = f"{self.address}{urllib.parse.quote(path)}"
        if parameters:
            url += f"?{urllib.parse.urlencode(parameters)}"
        return self._answer(urllib.request.Request(url))

    def post(self, path: str, told: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """The answer of a route to a JSON object."""
        url, data = f"{self.address}{urllib.parse.quote(path)}", json.dumps(told).encode()
        return self._answer(urllib.request.Request(url, data, {**headers, "Content-Type": "application/json"}))

    def _answer(self, request: urllib.request.Request) -> Answer:
        if self.key:
            request.add_header("Authorization", f"Bearer {self.key}")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return Answer(answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            wrong = 400 <= error.code < 500
            raise (WrongUse if wrong else CommandProblem)(_detail(error)) from error
        except (OSError, ValueError) as error:
            raise CommandProblem(
                f"the query API must answer at {self.address} (setting API_ADDRESS); got {error}"
            ) from error


def _detail(error: urllib.error.HTTPError) -> str:
    """What the API says is wrong, on one line."""
    text = error.read().decode(errors="replace")
    try:
        told = json.loads(text)
        return " ".join(f"{told['name']}: {told['detail']}".split())
    except (ValueError, KeyError, TypeError):
        return f"the query API must answer with 200; got {error.code} {error.reason}"
