"""Connections that end when the other side stalls, so that nobody holds the threads of the server."""

import socket
import time
from contextlib import suppress
from typing import Any, SupportsIndex, cast

from gunicorn.workers.gthread import ThreadWorker

_LEAST_BYTES_PER_SECOND = 1024
"""A sender that is slower on average holds a thread without need: even a poor telephone line is faster."""

_LINGERING_SECONDS = 2.0
_LINGERING_CHUNK = 1 << 16
_MOST_LINGERING_BYTES = 64 << 20


class TimedSocket(socket.socket):
    """A connection that raises `TimeoutError` if the other side sends or takes nothing, or sends too slowly.

    Gunicorn calls ``setblocking(True)`` before it reads a request. From then on the times of this request count.

    Attributes
    ----------
    idle_seconds
        Time after which a connection that sends or takes nothing ends. For as long, a sender may be slow.
    """

    idle_seconds = 30.0

    def setblocking(self, flag: bool, /) -> None:
        self._begun, self._received = time.monotonic(), 0
        if flag:
            self.settimeout(self.idle_seconds)
        else:
            super().setblocking(flag)

    def recv(self, bufsize: SupportsIndex, flags: int = 0, /) -> bytes:
        asked = time.monotonic()
        data = super().recv(bufsize, flags)  # type: ignore[arg-type]
        now = time.monotonic()
        # What the server itself takes to work on the bytes before is not the sender's fault.
        self._begun += max(0.0, asked - getattr(self, "_asked", asked))
        self._asked = now
        self._received += len(data)
        spent = now - self._begun - self.idle_seconds
        if spent > 0 and self._received < spent * _LEAST_BYTES_PER_SECOND:
            raise TimeoutError("the sender is too slow")
        return data

    def end(self) -> None:
        """Say that nothing more is sent, and wait a little until the other side has read the answer.

        A connection that is closed while the other side still sends loses the end of the answer.
        """
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            deadline, taken = time.monotonic() + _LINGERING_SECONDS, 0
            while taken < _MOST_LINGERING_BYTES and (left := deadline - time.monotonic()) > 0:
                self.settimeout(left)
                data = super().recv(_LINGERING_CHUNK)
                if not data:
                    break
                taken += len(data)


class TimedThreadWorker(ThreadWorker):
    """Gunicorn's worker of threads, with connections of the class `TimedSocket`."""

    def accept(self, listener: Any) -> None:
        super().accept(cast("socket.socket", _Accepting(listener)))

    def handle(self, conn: Any) -> Any:
        kept = super().handle(conn)
        if kept is False:
            # Gunicorn waits for the other side too, but in the thread that accepts connections.
            conn.sock.end()
            conn.sock.close()
        return kept


class _Accepting:
    """A listener whose connections are timed."""

    def __init__(self, listener: Any) -> None:
        self._listener = listener

    def accept(self) -> tuple[TimedSocket, Any]:
        connection, address = self._listener.accept()
        return TimedSocket(fileno=connection.detach()), address

    def getsockname(self) -> Any:
        return self._listener.getsockname()
