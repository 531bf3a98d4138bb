"""What can go wrong with a request, as errors that `problems.py` answers."""

from __future__ import annotations

from runtime.errors import PlatformError


class NotServing(PlatformError):
    """Nothing can be answered yet."""


class Unauthenticated(PlatformError):
    """It can't be told who asks."""


class Forbidden(PlatformError):
    """Who asks may see nothing of it; `name` is what was asked for."""

    def __init__(self, name: str, message: str):
        super().__init__(message)
        self.name = name


class BadQuery(PlatformError, ValueError):
    """A parameter that can't be used; `name` is the parameter's."""

    def __init__(self, name: str, message: str):
        super().__init__(f"'{name}': {message}")
        self.name = name


class Unknown(PlatformError, LookupError):
    """Nothing of that name is there; `name` is what was asked for."""

    def __init__(self, name: str, message: str):
        super().__init__(message)
        self.name = name


class UnknownRun(Unknown):
    """Retention holds no run of that id."""

    def __init__(self, message: str):
        super().__init__("as_of_run", message)


class TooMany(PlatformError):
    """Somebody makes too many requests; the next may come in `seconds`."""

    def __init__(self, seconds: int, message: str):
        super().__init__(message)
        self.seconds = seconds


class TookTooLong(PlatformError):
    """A query that was ended."""
