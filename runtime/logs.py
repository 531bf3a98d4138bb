"""Structured logs: one line on standard error per event of note, as logfmt or JSON.

Every line has `time` (UTC), `level`, `process` and `msg`; what it is about follows as fields, ids (run, commit, delta)
by their own names. `msg` is a fixed text, so that lines of a kind can be counted.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from runtime.timestamps import written

if TYPE_CHECKING:
    from runtime.settings import Settings

ROOT = "learning_analytics"
# Loggers of libraries whose lines are ours as well.
GUESTS = ("uvicorn",)
_PLAIN = re.compile(r'[^\s"=]+')


class Log:
    """Writes the lines of one process, named `process` in them."""

    def __init__(self, process: str):
        self._logger = logging.getLogger(f"{ROOT}.{process}")

    def info(self, msg: str, **fields: Any) -> None:
        """Something of note happened as it should."""
        self._logger.info(msg, extra={"fields": fields})

    def warning(self, msg: str, **fields: Any) -> None:
        """Something went wrong that the process gets over by itself."""
        self._logger.warning(msg, extra={"fields": fields})

    def error(self, msg: str, **fields: Any) -> None:
        """The process can't do what it is for."""
        self._logger.error(msg, extra={"fields": fields})


def configure(settings: Settings) -> None:
    """Write from now on at the level and in the format of `settings`."""
    _HANDLER.setFormatter(FORMATS[settings.log_format])
    for name in (ROOT, *GUESTS):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_HANDLER], False
    logging.getLogger(ROOT).setLevel(settings.log_level)


class _Lines(logging.Formatter):
    """A record as ordered fields, which `written_as` makes a line of, without its end."""

    def __init__(self, written_as: Callable[[dict[str, Any]], str]) -> None:
        super().__init__()
        self.written_as = written_as

    def format(self, record: logging.LogRecord) -> str:
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        process = record.name.removeprefix(f"{ROOT}.")
        fields = {"time": written(moment), "level": record.levelname.lower(), "process": process}
        fields["msg"] = record.getMessage()
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return self.written_as(fields)


def _logfmt(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in fields.items())


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, default=str)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """Standard error."""
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        raise AttributeError("logs go to standard error")


def _value(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


FORMATS = {"logfmt": _Lines(_logfmt), "json": _Lines(_json)}
_HANDLER = _Stderr()
# Until settings say otherwise, so that what is wrong with them can be told.
_HANDLER.setFormatter(FORMATS["logfmt"])
logging.getLogger(ROOT).handlers = [_HANDLER]
logging.getLogger(ROOT).propagate = False
logging.getLogger(ROOT).setLevel(logging.INFO)
