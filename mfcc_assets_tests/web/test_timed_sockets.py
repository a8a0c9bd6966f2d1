"""Tests of connections that stall, against the running server."""

import socket
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.library import Library
from mfcc_assets.web.security.addresses import KnownAddresses
from mfcc_assets.web.timed_sockets import OpenConnections, TimedSocket, WaitingThreads
from mfcc_assets_tests.services.web import running_web

STALLED = 400


def _connected(address: str, sender: str = "127.0.0.1") -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port), timeout=30, source_address=(sender, 0))


def test_senders_that_stall_do_not_keep_others_waiting_and_are_ended(tmp_path: Path) -> None:
    with (
        running_web(tmp_path / "home", tmp_path / "log", {"MFCC_WEB_IDLE_SECONDS": "2"}) as address,
        ExitStack() as open_,
    ):
        stalled = [open_.enter_context(_connected(address)) for _ in range(STALLED)]
        for connection in stalled:
            connection.sendall(b"POST /language/en HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\nfew")

        with urlopen(f"{address}/healthz", timeout=60) as response:
            assert response.read() == b"alive"
        assert all(_ends(connection) for connection in stalled[:20])


def test_a_sender_of_a_byte_now_and_then_is_ended(tmp_path: Path) -> None:
    with running_web(tmp_path / "home", tmp_path / "log", {"MFCC_WEB_IDLE_SECONDS": "1"}) as address:
        with _connected(address) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
            began = time.monotonic()
            try:
                while time.monotonic() - began < 30:
                    connection.sendall(b"X: y\r\n")
                    time.sleep(0.3)
            except OSError:
                pass

        assert time.monotonic() - began < 25


def test_heads_that_do_not_come_hold_no_threads_and_are_not_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_web(tmp_path / "home", log) as address, ExitStack() as open_:
        held = [open_.enter_context(_connected(address)) for _ in range(STALLED)]
        for connection in held:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: not the e")

        began = time.monotonic()
        assert _ends(held[0])
        assert time.monotonic() - began < 20
        with urlopen(f"{address}/healthz", timeout=60) as response:
            assert response.read() == b"alive"
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("head", ["GET /rest/ping?c={} HTTP/1.1", "GET /healthz HTTP/1.1\r\n" + "X: {}\r\n" * 9])
def test_a_head_without_end_is_refused_before_it_takes_much_memory(tmp_path: Path, head: str) -> None:
    log = tmp_path / "log"
    with running_web(tmp_path / "home", log) as address, _connected(address) as connection:
        with suppress(OSError):
            connection.sendall(head.replace("{}", "a" * 8_000).encode())
            for _ in range(40):
                connection.sendall(b"X: " + b"a" * 8_000 + b"\r\n" if "X:" in head else b"a" * 8_000)
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 431 ")
    assert "Traceback" not in log.read_text()


def test_an_address_of_the_lengths_that_the_description_allows_is_read(tmp_path: Path) -> None:
    texts = "&".join(f"{name}={'%F0%9F%8E%B5' * 200}" for name in ("search", "artist", "genre"))
    with running_web(tmp_path / "home", tmp_path / "log") as address:
        for query, status in ((texts, 200), (f"{texts}&sort=none", 422), (f"search={'a' * 20_000}", 422)):
            try:
                with urlopen(f"{address}/api/v1/tracks?{query}", timeout=30) as response:
                    told = response.status
            except HTTPError as refused:
                with refused:
                    told = refused.status
            assert told == status


def test_a_body_must_come_faster_than_a_trickle(tmp_path: Path) -> None:
    with running_web(tmp_path / "home", tmp_path / "log", {"MFCC_WEB_IDLE_SECONDS": "1"}) as address:
        with _connected(address) as connection:
            connection.sendall(
                b"POST /uploads/sample HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
            )
            sent = 0
            with suppress(OSError):
                while sent < 60_000:
                    connection.sendall(b"x" * 1000)
                    sent += 1000
                    time.sleep(0.5)

        assert sent < 20_000
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_listener_who_reads_as_slowly_as_it_plays_gets_the_whole_file(library: Library, tmp_path: Path) -> None:
    content = bytes(8 << 20)
    library.blobs.write("uploads", "long.wav", content)
    link = library.blobs.link("uploads", "long.wav", seconds=600)
    with (
        running_web(library.settings.home, tmp_path / "log", {"MFCC_WEB_IDLE_SECONDS": "8"}) as address,
        socket.socket() as connection,
    ):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        parts = urlsplit(address)
        connection.connect((parts.hostname, parts.port))
        connection.sendall(f"GET {link} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        began, received = time.monotonic(), b""
        while time.monotonic() - began < 20:
            received += connection.recv(4000)
            time.sleep(0.2)
        connection.settimeout(30)
        while block := connection.recv(1 << 16):
            received += block
    assert received.endswith(content)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_sender_has_at_most_24_connections_and_others_are_served(tmp_path: Path) -> None:
    with running_web(tmp_path / "home", tmp_path / "log") as address, ExitStack() as open_:
        held = [open_.enter_context(_connected(address, "127.0.0.2")) for _ in range(100)]
        for connection in held[:24]:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: not the e")

        assert all(_ends(connection) for connection in held[24:])
        with urlopen(f"{address}/healthz", timeout=60) as response:
            assert response.read() == b"alive"
        for connection in held[:24]:
            connection.sendall(b"nd\r\nConnection: close\r\n\r\n")
            assert b"200 OK" in connection.recv(4096)
            connection.close()
        assert any(_is_served(address, "127.0.0.2") for _ in range(100)), "an ended connection does not count"


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: not the e"])
def test_a_few_slow_senders_together_do_not_keep_others_waiting(tmp_path: Path, sent: bytes) -> None:
    with running_web(tmp_path / "home", tmp_path / "log") as address, ExitStack() as open_:
        with urlopen(f"{address}/healthz", timeout=60):
            pass  # the server has started, which is not what this measures
        for sender in range(2, 20):
            for connection in [open_.enter_context(_connected(address, f"127.0.0.{sender}")) for _ in range(24)]:
                connection.sendall(sent)

        began = time.monotonic()
        with urlopen(f"{address}/healthz", timeout=60) as response:
            assert response.read() == b"alive"
        assert time.monotonic() - began < 6
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(("others", "waits"), [(0, True), (2, False)])
def test_a_thread_waits_for_long_only_while_few_others_do(
    others: int, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimedSocket, "waiting", WaitingThreads(2))
    monkeypatch.setattr("mfcc_assets.web.timed_sockets._HURRIED_HEAD_SECONDS", 0.1)
    monkeypatch.setattr("mfcc_assets.web.timed_sockets._LOOK_SECONDS", 0.02)
    here, there = socket.socketpair()
    with closing(TimedSocket.taken_over(here, lambda: None)) as timed, there, ExitStack() as waiting:
        for _ in range(others):
            waiting.enter_context(TimedSocket.waiting.counted())
        timed.setblocking(True)
        with ThreadPoolExecutor(1) as threads:
            received = threads.submit(timed.recv, 100)
            time.sleep(0.3)
            there.sendall(b"GET / HTTP/1.1")

            assert received.result(timeout=30) == (b"GET / HTTP/1.1" if waits else b"")


@pytest.mark.parametrize(
    ("answers", "others", "waits"), [(True, 0, True), (True, 3, False), (False, 0, False)], ids=str
)
def test_the_end_of_a_connection_waits_for_the_other_side_only_behind_an_answer_and_while_few_others_wait(
    answers: bool, others: int, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimedSocket, "waiting", WaitingThreads(2))
    monkeypatch.setattr("mfcc_assets.web.timed_sockets._LINGERING_SECONDS", 1.5)
    monkeypatch.setattr("mfcc_assets.web.timed_sockets._HURRIED_LINGERING_SECONDS", 0.05)
    here, there = socket.socketpair()
    with closing(TimedSocket.taken_over(here, lambda: None)) as timed, there, ExitStack() as waiting:
        for _ in range(others):
            waiting.enter_context(TimedSocket.waiting.counted())
        timed.setblocking(True)
        if answers:
            timed.sendall(b"an answer")
        began = time.monotonic()
        timed.end()

        assert (time.monotonic() - began >= 1.5) is waits


@pytest.mark.parametrize(("answers", "comes"), [(False, True), (True, False)])
def test_while_many_wait_the_rest_of_a_body_that_is_answered_already_is_not_waited_for(
    answers: bool, comes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TimedSocket, "waiting", WaitingThreads(0))
    monkeypatch.setattr("mfcc_assets.web.timed_sockets._HURRIED_LINGERING_SECONDS", 0.05)
    here, there = socket.socketpair()
    with closing(TimedSocket.taken_over(here, lambda: None)) as timed, there, ThreadPoolExecutor(1) as threads:
        timed.setblocking(True)
        timed.expect_body()
        if answers:
            timed.sendall(b"an answer")
        received = threads.submit(timed.recv, 100)
        time.sleep(0.5)
        there.sendall(b"the rest")

        if comes:
            assert received.result(timeout=30) == b"the rest"
        else:
            with pytest.raises(TimeoutError):
                received.result(timeout=30)


def test_listeners_behind_a_known_proxy_share_its_address_without_a_limit(tmp_path: Path) -> None:
    with (
        running_web(tmp_path / "home", tmp_path / "log", {"MFCC_WEB_PROXIES": "127.0.0.2"}) as address,
        ExitStack() as open_,
    ):
        for connection in [open_.enter_context(_connected(address, "127.0.0.2")) for _ in range(100)]:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert b"200 OK" in connection.recv(4096)


@given(st.lists(st.tuples(st.sampled_from(["10.0.0.1", "10.0.0.2", "192.0.2.1"]), st.booleans()), max_size=60))
def test_a_sender_is_admitted_while_it_has_fewer_than_the_most(steps: list[tuple[str, bool]]) -> None:
    connections = OpenConnections(KnownAddresses(["192.0.2.0/24"]), most=3)
    held: defaultdict[str, list[Any]] = defaultdict(list)
    for sender, opens in steps:
        if opens:
            ended = connections.admit(sender)
            assert (ended is not None) == (len(held[sender]) < 3 or sender == "192.0.2.1")
            if ended:
                held[sender].append(ended)
        elif held[sender]:
            held[sender].pop()()


def _is_served(address: str, sender: str) -> bool:
    time.sleep(0.1)
    with suppress(ConnectionError), _connected(address, sender) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return b"200 OK" in connection.recv(4096)
    return False


def _ends(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


def test_a_slow_receiver_gets_all_of_a_large_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimedSocket, "idle_seconds", 0.4)
    sent, received = b"music " * 400_000, bytearray()
    ours, other = socket.socketpair()
    with TimedSocket.taken_over(ours, lambda: None) as timed, other, ThreadPoolExecutor(1) as threads:
        timed.setblocking(True)
        sending = threads.submit(timed.sendall, sent)
        while len(received) < len(sent):
            received += other.recv(1 << 18)
            time.sleep(0.1)
        sending.result()

    assert received == sent


def test_a_receiver_that_takes_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TimedSocket, "idle_seconds", 0.2)
    ours, other = socket.socketpair()
    with TimedSocket.taken_over(ours, lambda: None) as timed, other:
        timed.setblocking(True)
        with pytest.raises(TimeoutError):
            timed.sendall(bytes(8 << 20))
