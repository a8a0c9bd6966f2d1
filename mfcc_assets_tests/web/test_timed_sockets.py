"""Tests of connections that stall, against the running server."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from mfcc_assets_tests.services.web import running_web

STALLED = 400


def _connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def test_senders_that_stall_do_not_keep_others_waiting_and_are_ended(tmp_path: Path) -> None:
    with (
        running_web(tmp_path / "home", tmp_path / "log", {"MFCC_WEB_IDLE_SECONDS": "2"}) as address,
        ExitStack() as open_,
    ):
        stalled = [open_.enter_context(_connected(address)) for _ in range(STALLED)]
        for connection in stalled:
            connection.sendall(b"POST /language/en HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\nfew")

        with urlopen(f"{address}/alive", timeout=60) as response:
            assert response.read() == b"alive"
        assert all(_ends(connection) for connection in stalled[:20])


def test_a_sender_of_a_byte_now_and_then_is_ended(tmp_path: Path) -> None:
    with running_web(tmp_path / "home", tmp_path / "log", {"MFCC_WEB_IDLE_SECONDS": "1"}) as address:
        with _connected(address) as connection:
            connection.sendall(b"GET /alive HTTP/1.1\r\nHost: localhost\r\n")
            began = time.monotonic()
            try:
                while time.monotonic() - began < 30:
                    connection.sendall(b"X: y\r\n")
                    time.sleep(0.3)
            except OSError:
                pass

        assert time.monotonic() - began < 25


def _ends(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True
