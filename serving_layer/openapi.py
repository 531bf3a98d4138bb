"""What the OpenAPI page says of parameters and answers that the routes read by themselves."""

from __future__ import annotations

from typing import Any

from catalogue.views.windows import WINDOW_HOURS
from serving_layer.advising.thresholds import DEFAULTS
from serving_layer.advising.thresholds import MOST as HIGHEST
from serving_layer.query.formats import MEDIA_TYPES
from serving_layer.query.parameters import FORMATS, LAYERS
from serving_layer.query.query import DEFAULT_LIMIT, MAX_LIMIT


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _content(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required or list(properties)}
    return {"application/json": {"schema": schema}}


_VECTORS = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {"type": "integer"}}}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_FORMAT = _parameter(
    "format", {"type": "string", "enum": list(FORMATS)}, "JSON (default), CSV, Parquet or an Arrow stream."
)
_SPREADSHEET = _parameter(
    "spreadsheet",
    {"type": "boolean"},
    "Beside format=csv: CSV that a spreadsheet opens safely, with a byte order mark and an apostrophe before text that "
    "would be a formula; false by default.",
)
PARAMETERS = [
    {"name": "view", "in": "path", "required": True, "schema": {"type": "string"}},
    _parameter(
        "sort", {"type": "string"}, "Columns separated by commas, each with - in front to descend; then the key."
    ),
    _parameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, f"Rows of a page; {DEFAULT_LIMIT} by default."
    ),
    _parameter(
        "cursor",
        {"type": "string"},
        "`next` of the page before; pages agree with the first for a minute after the last.",
    ),
    _parameter("fields", {"type": "string"}, "Columns of the answer, separated by commas."),
    _parameter(
        "layer",
        {"type": "string", "enum": list(LAYERS)},
        "merged (default): everything; batch: below the cut; speed: from the cut on.",
    ),
    _FORMAT,
    _SPREADSHEET,
    _parameter("as_of_run", {"type": "string"}, "Answer as this kept batch run published it."),
]
WINDOW_PARAMETERS = [
    _parameter(
        "minutes", {"type": "integer", "minimum": 1, "maximum": WINDOW_HOURS * 60}, "How many minutes; 60 by default."
    ),
    _parameter("until", {"type": "string"}, "A time in the last minute of the answer; now by default."),
    _FORMAT,
    _SPREADSHEET,
]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_OTHERS = {media.split(";")[0]: _BINARY for form, media in MEDIA_TYPES.items() if form != "json"}
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "A page of rows, and what they cover; in other formats the headers X-Total, X-Next and X-As-Of say so."
        ),
        "content": {
            **_content(
                {
                    "view": {"type": "string"},
                    "columns": {"type": "array", "items": {"type": "string"}},
                    "rows": {"type": "array", "items": {"type": "object"}},
                    "total": {"type": "integer"},
                    "next": _TEXT_OR_NULL,
                    "as_of": {
                        "type": "object",
                        "properties": {
                            "run": _TEXT_OR_NULL,
                            "cut": _VECTORS,
                            "head": _VECTORS,
                            "watermark": _TEXT_OR_NULL,
                            "lag_seconds": {"type": ["number", "null"]},
                        },
                    },
                }
            ),
            **_OTHERS,
        },
    },
    304: {"description": "The answer is the one that If-None-Match names."},
}
EXPORT_PARAMETERS = [
    _parameter("student", {"type": "string"}, "Events of this person; for analysts a pseudonym."),
    _parameter("course", {"type": "string"}, "Events of this course; beside `student`, the person's in it."),
    _parameter("since", {"type": "string"}, "Events that arrived after this time."),
    _parameter("until", {"type": "string"}, "Events that arrived at this time or before."),
]
EXPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One document, sent while it is made; the header X-As-Of says which run it is exact to.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
_PROBLEM = _content({"name": {"type": "string"}, "detail": {"type": "string"}})
REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "It can't be told who asks: an API key or a token must be sent.", "content": _PROBLEM},
    403: {"description": "Who asks may see nothing of it.", "content": _PROBLEM},
    429: {"description": "Too many requests; Retry-After says in how many seconds to go on.", "content": _PROBLEM},
}
ERRORS: dict[int | str, dict[str, Any]] = {
    **REFUSALS,
    404: {"description": "No such view, window or run.", "content": _PROBLEM},
    422: {"description": "A parameter can't be used; `name` is its name.", "content": _PROBLEM},
    503: {"description": "Nothing can be answered yet, or the newest objects can't be served.", "content": _PROBLEM},
    504: {"description": "The query took too long and was ended.", "content": _PROBLEM},
}
VIEW_LIST: dict[int | str, dict[str, Any]] = {200: {"description": "Names, keys and columns."}}
FRESHNESS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "cut and head are exclusive: the first offset not in the batch views, not in the answer.",
        "content": _content(
            {
                "run": _TEXT_OR_NULL,
                "cut": _VECTORS,
                "head": _VECTORS,
                "lag_seconds": {"type": ["number", "null"]},
                "ledger": {"type": "object"},
            }
        ),
    }
}
RUNS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The newest first.", "content": _content({"runs": {"type": "array"}})}
}
DAY = _parameter("day", {"type": "string", "format": "date"}, "UTC day of arrival in Kafka; by default the newest one.")
_OBJECTS = {"type": "array", "items": {"type": "object"}}
OPERATION: dict[int | str, dict[str, Any]] = {
    200: {"description": "`name` and `address` of each.", "content": _content({"pages": _OBJECTS})}
}
QUARANTINE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Counts are of the files that were read: all, unless the day has very much.",
        "content": _content(
            {
                "day": _TEXT_OR_NULL,
                "days": {"type": "array", "items": {"type": "string"}},
                "reasons": _OBJECTS,
                "files": {"type": "integer"},
                "files_read": {"type": "integer"},
            }
        ),
    }
}
COLLECTOR: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Fates count since the collectors started; null where none is set or answers.",
        "content": _content({"sources": _OBJECTS, "collectors": _OBJECTS}),
    }
}
STUDENT = _parameter("student", {"type": "string"}, "Whom it is about; may be given several times.")
_TEXT = {"type": "string"}
_EVENT = {"id": _TEXT, "at": _TEXT, "student": _TEXT, "by": _TEXT, "kind": _TEXT, "text": _TEXT}
ADVICE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`kind` is acknowledged, contacted, note or outcome; `total` counts what isn't shown too.",
        "content": _content({"total": {"type": "integer"}, "advice": _OBJECTS}),
    }
}
ADVISED: dict[int | str, dict[str, Any]] = {
    201: {"description": "As it is kept; one that has the id already, as it was.", "content": _content(_EVENT)}
}
ADVISING = {
    "required": True,
    "content": _content(dict.fromkeys(("student", "kind", "text", "id"), _TEXT), ["student", "kind"]),
}
PSEUDONYM = {"required": True, "content": _content({"pseudonym": _TEXT}, ["pseudonym"])}
_NUMBERS = {name: {"type": "integer", "minimum": 0, "maximum": HIGHEST} for name in DEFAULTS}
THRESHOLDS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`at` is when they were chosen last; null where never, and they are the defaults.",
        "content": _content({"thresholds": {"type": "object", "properties": _NUMBERS}, "at": _TEXT_OR_NULL}),
    }
}
CHOOSING = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "properties": _NUMBERS, "additionalProperties": False}}
    },
}
CHANGES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events named `covers`, and `advice` where advisers wrote.",
        "content": {"text/event-stream": {}},
    }
}
HEALTH: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Fine.",
        "content": _content({"status": {"type": "string"}, "authentication": {"type": "string"}}),
    }
}
_LIST = {"type": "array", "items": {"type": "string"}}
ME: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Who asks; `role` is null where nobody is logged in, and `login` then says where to.",
        "content": _content(
            {
                "authentication": {"type": "string"},
                "role": _TEXT_OR_NULL,
                "person": _TEXT_OR_NULL,
                "scope": {"type": ["array", "null"], "items": {"type": "string"}},
                "courses": _LIST,
                "students": _LIST,
                "csrf": _TEXT_OR_NULL,
                "expires_at": {"type": ["integer", "null"]},
                "login": _TEXT_OR_NULL,
                "logout": _TEXT_OR_NULL,
            }
        ),
    }
}
DISCLOSURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The newest first: who was shown rows of the person, by what, of which view, run and head.",
        "content": _content(
            {
                "person": {"type": "string"},
                "total": {"type": "integer"},
                "records": {"type": "array", "items": {"type": "object"}},
            }
        ),
    }
}
PERSON: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Whom it stands for.",
        "content": _content({"pseudonym": {"type": "string"}, "person": {"type": "string"}}),
    }
}
