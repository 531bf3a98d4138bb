"""Statements with their attachments, in one `multipart/mixed` body: read and written."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any, NamedTuple

import orjson

from ingestion_layer.collecting.xapi.values import wrong

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
ALGORITHMS = ("RS256", "RS384", "RS512")
BOUNDARY = "learning-analytics-0f1e2d3c4b5a"
_LENGTHS = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


class Attachment(NamedTuple):
    """A part behind the statements."""

    sha2: str
    type: str
    content: bytes


def parts_of(content_type: str, body: bytes) -> tuple[bytes, list[Attachment]]:
    """The statements' JSON, and the attachments. 400 for what breaks the rules."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str) or not boundary:
        wrong("Content-Type", "multipart/mixed with a boundary", content_type)
    mark = b"--" + boundary.encode()
    # The break before a boundary belongs to it.
    pieces = re.split(rb"(?:\A|\r?\n)" + re.escape(mark), body)
    if len(pieces) < 3 or pieces[-1][:2] != b"--":
        wrong("body", "closed by its boundary, with a part at least")
    parts = [_part(piece) for piece in pieces[1:-1]]
    first, content = parts[0]
    if first.get_content_type() != "application/json":
        wrong("Content-Type", "application/json of the first part", first.get_content_type())
    return content, [_attachment(head, content) for head, content in parts[1:]]


def _part(piece: bytes) -> tuple[Message, bytes]:
    found = re.match(rb"[ \t]*\r?\n", piece)
    if not found:
        wrong("body", "parts that begin on a line of their own")
    piece = piece[found.end() :]
    if (empty := re.match(rb"\r?\n", piece)) is not None:
        return Message(), piece[empty.end() :]
    end = re.search(rb"\r?\n\r?\n", piece)
    if end is None:
        wrong("body", "parts whose headers end with an empty line")
    return BytesHeaderParser().parsebytes(piece[: end.end()]), piece[end.end() :]


def _attachment(head: Message, content: bytes) -> Attachment:
    if head.get("Content-Transfer-Encoding", "").strip().lower() != "binary":
        wrong("Content-Transfer-Encoding", "binary in each part of an attachment")
    told = head.get("X-Experience-API-Hash", "").strip().lower()
    if not told:
        wrong("X-Experience-API-Hash", "there in each part of an attachment")
    algorithm = _LENGTHS.get(len(told))
    if algorithm is None or hashlib.new(algorithm, content).hexdigest() != told:
        wrong("X-Experience-API-Hash", "the SHA-2 of its part", told)
    return Attachment(told, head.get("Content-Type", "application/octet-stream"), content)


def check_attachments(statements: Iterable[dict[str, Any]], found: list[Attachment]) -> None:
    """400 where statements and parts don't belong together."""
    sent = {attachment.sha2: attachment for attachment in found}
    named = set()
    for statement in statements:
        for holder in (statement, statement["object"]):
            for told in holder.get("attachments", ()):
                sha2 = told["sha2"].lower()
                named.add(sha2)
                if sha2 not in sent and "fileUrl" not in told:
                    wrong("attachments", "sent along, or have a fileUrl", sha2)
                if told["usageType"] == SIGNATURE and sha2 in sent:
                    _check_signature(statement, told, sent[sha2].content)
    if odd := sent.keys() - named:
        wrong("body", "parts that a statement names by their sha2", sorted(odd)[0])


def _check_signature(statement: dict[str, Any], told: dict[str, Any], content: bytes) -> None:
    """400 for what is no signature of this statement. Whose key made it is not looked up."""
    if told["contentType"].partition(";")[0].strip() != "application/octet-stream":
        wrong("attachments.contentType", "application/octet-stream of a signature", told["contentType"])
    try:
        header, payload, _ = content.decode("ascii").split(".")
        algorithm, signed = _decoded(header).get("alg"), _decoded(payload)
    except (ValueError, AttributeError, UnicodeDecodeError, binascii.Error):
        wrong("attachments", "a JSON web signature in compact form")
    if algorithm not in ALGORITHMS:
        wrong("attachments", f"signed by one of {', '.join(ALGORITHMS)}", algorithm)
    for name in ("id", "actor", "verb", "object", "result"):
        if name in signed and _lasting(signed[name]) != _lasting(statement.get(name, signed[name])):
            wrong("attachments", f"a signature of the statement, whose {name} is another")


def _lasting(value: Any) -> Any:
    """Without a duration, of which only hundredths of a second count."""
    return {name: found for name, found in value.items() if name != "duration"} if isinstance(value, dict) else value


def _decoded(text: str) -> Any:
    return orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def written(result: bytes, attachments: Iterable[Attachment]) -> bytes:
    """One body of a result and attachments, separated by BOUNDARY."""
    mark = BOUNDARY.encode()
    parts = [b"--%s\r\nContent-Type: application/json\r\n\r\n%s\r\n" % (mark, result)]
    for attachment in attachments:
        told = {"Content-Type": attachment.type, "Content-Transfer-Encoding": "binary"}
        told["X-Experience-API-Hash"] = attachment.sha2
        head = "".join(f"{name}: {text}\r\n" for name, text in told.items())
        parts.append(b"--%s\r\n%s\r\n%s\r\n" % (mark, head.encode(), attachment.content))
    return b"".join(parts) + b"--%s--\r\n" % mark
