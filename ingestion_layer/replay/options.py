"""The options of a replay on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from zoneinfo import ZoneInfo

from catalogue.events.fields import ROLES
from ingestion_layer.replay import FORMATS, Replay
from ingestion_layer.replay.identity import identifier
from ingestion_layer.replay.moments import Clock
from ingestion_layer.replay.row import Options

# Logs of learning that tell no roles are of learners, nearly all of them.
USUAL_ROLE, NO_ROLE = "student", "none"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What says which data is replayed, and how it is read."""
    parser.add_argument(
        "--replay",
        type=_file,
        action="append",
        metavar="FILE",
        help="send real data: a file or a folder; may be repeated",
    )
    parser.add_argument("--format", choices=FORMATS, help="what the replayed data is")
    parser.add_argument("--timezone", type=_zone, metavar="ZONE", help="zone of times that name none; default UTC")
    parser.add_argument("--course", type=_course, metavar="ID", help="course of rows that name none")
    parser.add_argument(
        "--default-role",
        choices=(*ROLES, NO_ROLE),
        help=f"role of users of whom the data tells none; default {USUAL_ROLE}",
    )
    parser.add_argument(
        "--rejected", type=_file, metavar="FILE", help="write each row that becomes no event: JSON lines"
    )
    parser.add_argument("--summary", type=_file, metavar="FILE", help="write the replay's summary as JSON")


def problem(options: argparse.Namespace) -> str | None:
    """What is wrong with the options of a replay together."""
    if options.replay and not options.format:
        return f"--replay needs --format, one of {', '.join(FORMATS)}"
    for name in ("format", "timezone", "course", "default_role", "rejected", "summary"):
        if getattr(options, name) and not options.replay:
            return f"--{name.replace('_', '-')} needs --replay FILE"
    return None


def replay(options: argparse.Namespace) -> Replay:
    """The replay that options ask for; raises ReplayError."""
    role = options.default_role or USUAL_ROLE
    said = Options(Clock(options.timezone or "UTC"), options.course, None if role == NO_ROLE else role)
    rejected, summary = (Path(name) if name else None for name in (options.rejected, options.summary))
    return Replay([Path(name) for name in options.replay], options.format, said, rejected, summary)


def _file(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("must be the name of a file; got ''")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):  # KeyError: the database doesn't have it
        raise argparse.ArgumentTypeError(f"must be a zone as Asia/Ho_Chi_Minh; got {text!r}") from None
    return text


def _course(text: str) -> str:
    found = identifier(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"must be the identifier of a course; got {text!r}")
    return found
