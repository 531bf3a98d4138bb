"""Small JSON documents that layers hand each other, as dataclasses: strict on reading, open to what comes later.

What a reader doesn't know is kept in `unknown` and written back. A `schema_version` above the reader's own says that
what it does know may mean something else by now: that is refused.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

from runtime.storage.store import StorageError, Store


class Damaged(StorageError):
    """A document that isn't what its writer made; the message names the object and the field."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """A document. Its fields are `str`, `int`, `float`, `bool`, `None`, dataclasses, and `dict`, `list`, `tuple` of
    these.

    A field with a default may be missing in what is read.
    """

    VERSION: ClassVar[int] = 1

    schema_version: int = 1
    unknown: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @classmethod
    def decoded(cls, where: str, data: bytes) -> Self:
        """The document in `data`; Damaged, naming `where` it stands, for anything else."""
        try:
            value = json.loads(data)
        except ValueError as error:
            raise Damaged(f"{where}: must be JSON; got {error}") from error
        found: Self = _dataclass(cls, value, where, "")
        if found.schema_version > cls.VERSION:
            raise Damaged(f"{where}: schema_version must be at most {cls.VERSION}; got {found.schema_version}")
        return found

    @classmethod
    def read(cls, store: Store, path: str) -> Self:
        """The document at `path`; FileNotFoundError where there is none, Damaged where it is damaged."""
        return cls.decoded(f"storage {store.uri}: {path}", store.read(path))

    def encoded(self) -> bytes:
        """The document as it is stored."""
        value = dataclasses.asdict(self)
        return json.dumps(value.pop("unknown") | value).encode()


def _dataclass(cls: type[Any], value: object, where: str, place: str) -> Any:
    if not isinstance(value, dict):
        raise _damage(where, place, "a JSON object", value)
    hints = get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.name != "unknown"}
    dot = f"{place}." if place else ""
    for name, field in fields.items():
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if name not in value and not optional:
            raise Damaged(f"{where}: field {dot}{name} must be there; got none")
    known = {name: _checked(hints[name], value[name], where, dot + name) for name in fields if name in value}
    if issubclass(cls, Manifest):
        known["unknown"] = {name: one for name, one in value.items() if name not in fields}
    return cls(**known)


def _checked(kind: Any, value: object, where: str, place: str) -> Any:
    """`value` as a `kind`; Damaged where it is none."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, where, place)
    if origin is dict:
        if not isinstance(value, dict):
            raise _damage(where, place, "a JSON object", value)
        return {key: _checked(arguments[1], one, where, f"{place}.{key}") for key, one in value.items()}
    if origin in (list, tuple):
        if not isinstance(value, list):
            raise _damage(where, place, "a JSON array", value)
        return origin(_checked(arguments[0], one, where, f"{place}[{n}]") for n, one in enumerate(value))
    choices = arguments or (kind,)  # the arguments of a union, as `str | None`
    for choice in choices:
        if choice is float and type(value) is int:
            return float(value)
        if type(value) is choice:
            return value
    raise _damage(where, place, " or ".join(_WORDS[choice] for choice in choices), value)


_WORDS: dict[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _damage(where: str, place: str, wanted: str, value: object) -> Damaged:
    told = json.dumps(value)
    what = f"field {place}" if place else "it"
    return Damaged(f"{where}: {what} must be {wanted}; got {told[:80]}{'…' * (len(told) > 80)}")
