"""Ports are given once, whoever asks."""

from __future__ import annotations

import socket
from concurrent.futures import ProcessPoolExecutor

import pytest

from deployment.installation import StackError
from deployment.ports import FIRST, LAST, check_free, free_port, free_ports


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """No port was given yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "learning-analytics" / "next-port"


def test_no_port_is_given_to_two(own_cache):
    with ProcessPoolExecutor(2) as processes:
        given = [port for found in processes.map(free_ports, ["abc"] * 20) for port in found.values()]
    assert len(set(given)) == 60 and all(FIRST <= port <= LAST for port in given)


def test_a_port_in_use_is_left_out(own_cache):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        own_cache.write_text(str(port - 1))
        assert free_port() > port
        with pytest.raises(
            StackError, match=rf"^port {port} \(kafka\): must be free; Address already in use; stop it$"
        ):
            check_free({"kafka": port}, "; stop it")


@pytest.mark.parametrize("kept", ["", "7", str(LAST), "damaged"])
def test_it_goes_round(own_cache, kept):
    own_cache.parent.mkdir(parents=True)
    own_cache.write_text(kept)
    assert FIRST <= free_port() < FIRST + 100
