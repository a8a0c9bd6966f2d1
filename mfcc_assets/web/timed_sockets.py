"""Connections that end when the other side stalls, and that no sender has many of.

So nobody holds the threads of the server.
"""

import errno
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, SupportsIndex, cast

from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.workers.gthread import ThreadWorker

from mfcc_assets.web.security.addresses import KnownAddresses, sender_of

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_MOST_CONNECTIONS = 24
"""Connections that one sender may have open. A browser has six."""

_HEAD_SECONDS = 8.0
"""Time within which the head of a request must come. It has a few hundred bytes, and a thread waits for it."""

_LONGEST_HEAD = 1 << 16
"""Bytes of a head. Programs send texts and cursors of thousands of letters in an address, and players a whole queue."""

_HURRIED_HEAD_SECONDS, _HURRIED_BODY_SECONDS = 1.0, 5.0
"""How long a head may take, and how long a body may stall, while many threads wait for senders."""

_LOOK_SECONDS, _LEAST_LOOK_SECONDS = 0.5, 0.001
"""Time after which a thread that waits for a sender looks whether many do."""

_LEAST_RECEIVED_PER_SECOND = 16 << 10
"""A body that comes more slowly on average holds a thread, and a place for uploads, without need."""

_LEAST_SENT_PER_SECOND = 1024
"""A receiver that is slower on average holds a thread without need: even a poor telephone line is faster."""

_SEND_BUFFER = 128 << 10
"""Bytes of an answer that the system holds; Linux takes it twice.

A connection takes more only when a third of its buffer is free. The buffer that Linux chooses itself grows to
megabytes, and a listener who reads as slowly as the music plays would take nothing for longer than a connection may be
idle.
"""

_PIECE = 1 << 16
"""Bytes of an answer that are sent at once."""

_SILENT_SECONDS = 0.25
"""How long a thread waits for the first byte. Behind that, the connection waits without a thread."""

_LINGERING_SECONDS, _HURRIED_LINGERING_SECONDS = 2.0, 0.25
_LINGERING_CHUNK = 1 << 16
_MOST_LINGERING_BYTES = 64 << 20


class WaitingThreads:
    """Counts the threads that wait for senders. While many do, none waits for long.

    The limit of connections holds for one sender. A few of them together could still hold all threads, so that the
    others would wait as long as the slowest sender may take.

    Parameters
    ----------
    most
        Number of threads that may wait as long as they like.
    """

    def __init__(self, most: int) -> None:
        self._most, self._waiting = most, 0
        self._changing = Lock()

    @property
    def are_many(self) -> bool:
        """Whether more threads wait than may do so for long."""
        return self._waiting > self._most

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count this thread during the ``with``."""
        with self._changing:
            self._waiting += 1
        try:
            yield
        finally:
            with self._changing:
                self._waiting -= 1


class TimedSocket(socket.socket):
    """A connection that raises `TimeoutError` if the other side sends or takes nothing, or sends too slowly.

    Gunicorn calls ``setblocking(True)`` before it reads a request. From then on the times of this request count: first
    those of its head, and after `expect_body` those of its body.

    Attributes
    ----------
    idle_seconds
        Time after which a connection that sends or takes nothing ends. For as long, a sender may be slow.
    head_seconds
        Time within which the head of a request must come.
    waiting
        The threads that wait for senders. While they are many, both times are shorter.
    """

    waiting = WaitingThreads(32)
    idle_seconds = 30.0
    head_seconds = _HEAD_SECONDS
    _head_ends: float | None = None
    _has_answered = False
    _when_closed: Callable[[], None] | None = None

    @classmethod
    def taken_over(cls, connection: socket.socket, when_closed: Callable[[], None]) -> "TimedSocket":
        """Return a timed connection in place of another one, with a function that is called when it is closed."""
        timed = cls(fileno=connection.detach())
        timed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        timed._when_closed = when_closed
        return timed

    def close(self) -> None:
        super().close()
        # First a thread closes a connection, then the loop that accepts connections does so again.
        when_closed, self._when_closed = self._when_closed, None
        if when_closed is not None:
            when_closed()

    def setblocking(self, flag: bool, /) -> None:
        if self.fileno() < 0:
            return  # gunicorn asks for this before it closes a connection that is closed already
        self._begun, self._received, self._asked = time.monotonic(), 0, time.monotonic()
        self._head_ends, self._has_answered = None, False
        if flag:
            self._head_ends = self._begun + self.head_seconds
            self.settimeout(self.idle_seconds)
        else:
            super().setblocking(flag)

    def expect_body(self) -> None:
        """Count the times of a body from now on, because the head of the request has come."""
        self._begun, self._received, self._asked = time.monotonic(), 0, time.monotonic()
        self._head_ends = None
        self.settimeout(self.idle_seconds)

    def recv(self, bufsize: SupportsIndex, flags: int = 0, /) -> bytes:
        if self._head_ends is not None:
            return self._recv_head(bufsize, flags)
        asked = time.monotonic()
        # Behind an answer, the rest of a body is read only so that the connection can be kept.
        hurried = _HURRIED_LINGERING_SECONDS if self._has_answered else _HURRIED_BODY_SECONDS
        data = self._recv_until(bufsize, flags, asked + hurried)
        now = time.monotonic()
        # What the server itself takes to work on the bytes before is not the sender's fault.
        self._begun += max(0.0, asked - self._asked)
        self._asked = now
        self._received += len(data)
        spent = now - self._begun - self.idle_seconds
        if spent > 0 and self._received < spent * _LEAST_RECEIVED_PER_SECOND:
            raise TimeoutError("the sender is too slow")
        return data

    def _recv_head(self, bufsize: SupportsIndex, flags: int) -> bytes:
        left = (self._head_ends or 0.0) - time.monotonic()
        if left <= 0:
            return b""
        if self._received >= _LONGEST_HEAD:
            raise LimitRequestHeaders("the head is too long")
        self.settimeout(min(left, self.idle_seconds))
        try:
            data = self._recv_until(bufsize, flags, self._begun + _HURRIED_HEAD_SECONDS)
        except TimeoutError:
            # Gunicorn would log a time-out with its whole stack. Nothing more coming is what it expects at times.
            return b""
        self._received += len(data)
        return data

    def _recv_until(self, bufsize: SupportsIndex, flags: int, hurried_ends: float) -> bytes:
        """Return what comes within the time-out of the connection, or until an earlier time while many threads wait."""
        allowed = self.gettimeout()
        if not allowed:
            return super().recv(bufsize, flags)  # type: ignore[arg-type]
        ends = time.monotonic() + allowed
        with self.waiting.counted():
            try:
                while True:
                    left = (min(ends, hurried_ends) if self.waiting.are_many else ends) - time.monotonic()
                    # What has come already is taken, however late this thread is.
                    self.settimeout(min(max(left, _LEAST_LOOK_SECONDS), _LOOK_SECONDS))
                    try:
                        return super().recv(bufsize, flags)  # type: ignore[arg-type]
                    except TimeoutError:
                        if left <= 0:
                            raise
            finally:
                self.settimeout(allowed)

    def sendall(self, data: "ReadableBuffer", flags: int = 0, /) -> None:
        # The time-out of Python's method is for all bytes together, so a slow listener would never get a large answer.
        self._has_answered = True
        left, sent, begun = memoryview(data).cast("B"), 0, time.monotonic()
        while left:
            taken = self.send(left[:_PIECE], flags)
            left, sent = left[taken:], sent + taken
            spent = time.monotonic() - begun - self.idle_seconds
            if spent > 0 and sent < spent * _LEAST_SENT_PER_SECOND:
                raise TimeoutError("the receiver is too slow")

    def end(self) -> None:
        """Say that nothing more is sent, and wait a little until the other side has read the answer.

        A connection that is closed while the other side still sends loses the end of the answer. Without an answer, or
        while many threads wait for senders, nobody waits for that.
        """
        if not self._has_answered:
            return
        with suppress(OSError), self.waiting.counted():
            self.shutdown(socket.SHUT_WR)
            begun, taken = time.monotonic(), 0
            while taken < _MOST_LINGERING_BYTES and (left := begun + self._lingering() - time.monotonic()) > 0:
                self.settimeout(min(left, _LOOK_SECONDS))
                try:
                    data = super().recv(_LINGERING_CHUNK)
                except TimeoutError:
                    continue
                if not data:
                    break
                taken += len(data)

    def _lingering(self) -> float:
        return _HURRIED_LINGERING_SECONDS if self.waiting.are_many else _LINGERING_SECONDS


class OpenConnections:
    """Counts the connections that each sender has open.

    Parameters
    ----------
    unlimited
        Addresses that many senders share, such as those of proxies.
    most
        Largest number of connections of each other sender.
    """

    def __init__(self, unlimited: KnownAddresses, most: int = _MOST_CONNECTIONS) -> None:
        self._unlimited = unlimited
        self._most = most
        self._open: Counter[str] = Counter()
        self._changing = Lock()

    def admit(self, address: str) -> Callable[[], None] | None:
        """Count a connection, and return a function that ends it; None if its sender has too many."""
        if address in self._unlimited:
            return lambda: None
        sender = sender_of(address)
        with self._changing:
            if self._open[sender] >= self._most:
                return None
            self._open[sender] += 1
        return partial(self._end, sender)

    def _end(self, sender: str) -> None:
        with self._changing:
            self._open[sender] -= 1
            if not self._open[sender]:
                del self._open[sender]


class TimedThreadWorker(ThreadWorker):
    """Gunicorn's worker of threads, with connections of the class `TimedSocket`, of which no sender has many.

    Attributes
    ----------
    connections
        The open connections by their senders.
    """

    connections = OpenConnections(KnownAddresses([]))

    def accept(self, listener: Any) -> None:
        super().accept(cast("socket.socket", _Accepting(listener, self.connections)))

    def handle_request(self, req: Any, conn: Any) -> Any:
        conn.sock.expect_body()
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            # Gunicorn would log each of them with its whole stack, and anybody can cause many.
            return False

    def handle(self, conn: Any) -> Any:
        # Gunicorn would hold the thread for five seconds, before it lets the connection wait without one.
        wait = conn.wait_for_data
        conn.wait_for_data = lambda timeout: wait(min(timeout, _SILENT_SECONDS))
        kept = super().handle(conn)
        if kept is False:
            # Gunicorn waits for the other side too, but in the thread that accepts connections.
            conn.sock.end()
            conn.sock.close()
        return kept


class _Accepting:
    """A listener whose connections are timed and counted."""

    def __init__(self, listener: Any, connections: OpenConnections) -> None:
        self._listener = listener
        self._connections = connections

    def accept(self) -> tuple[TimedSocket, Any]:
        connection, address = self._listener.accept()
        when_closed = self._connections.admit(address[0])
        if when_closed is None:
            connection.close()
            # Gunicorn goes on after this error.
            raise ConnectionAbortedError(errno.ECONNABORTED, "this sender has too many connections")
        return TimedSocket.taken_over(connection, when_closed), address

    def getsockname(self) -> Any:
        return self._listener.getsockname()
