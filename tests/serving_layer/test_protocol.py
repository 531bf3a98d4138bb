"""Requests that are too long, and bytes that are no request, are told in our own form."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from serving_layer.protocol import LONGEST_HEADERS, LONGEST_URL

VIEW = "/views/video_total_watch_time"


def answered(server, *parts: bytes) -> tuple[int, dict]:
    """Status and body of what the server says to these bytes, sent one after the other."""
    address = urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        while more := connection.recv(65536):
            received += more
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    return int(head.split()[1]), json.loads(body)


def request(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def of_length(length: int) -> str:
    path = f"{VIEW}?user_id="
    return path + "a" * (length - len(path))


def test_the_longest_url_is_answered(http):
    assert http.get(of_length(LONGEST_URL)).json()["total"] == 0


@pytest.mark.parametrize("length", [LONGEST_URL + 1, 70_000, 5_000_000])
def test_a_longer_url_is_named(server, length):
    status, body = answered(server, request(of_length(length)))
    assert (status, body["name"]) == (414, "url") and f"at most {LONGEST_URL} bytes" in body["detail"]


def test_a_url_that_arrives_in_parts_is_refused_before_it_ends(server):
    status, body = answered(server, f"GET {of_length(30_000)}".encode(), b"a" * 40_000)
    assert (status, body["name"]) == (414, "url")


@pytest.mark.parametrize(
    "headers",
    [["X: " + "a" * LONGEST_HEADERS], [f"X-{n}: {'a' * 500}" for n in range(150)], ["X: " + "a" * 3_000_000]],
    ids=["one", "many", "endless"],
)
def test_long_headers_are_named(server, headers):
    status, body = answered(server, request(VIEW, *headers))
    assert (status, body["name"]) == (431, "headers") and f"at most {LONGEST_HEADERS} bytes" in body["detail"]


def test_a_header_that_never_ends_is_refused(server):
    parts = [b"a" * 50_000] * 4
    status, body = answered(server, request(VIEW)[:-2] + b"X: ", *parts)
    assert (status, body["name"]) == (431, "headers")


def test_what_is_no_request_is_told(server):
    assert answered(server, b"what is this\r\n\r\n")[0] == 400


def test_a_connection_serves_many_requests(server):
    """The limits count each request for itself."""
    address = urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        for _ in range(4):
            connection.sendall(request(of_length(40_000), "X: " + "a" * 40_000))
            received = b""
            while not received.endswith(b"}"):
                received += connection.recv(65536)
            assert received.startswith(b"HTTP/1.1 200")
