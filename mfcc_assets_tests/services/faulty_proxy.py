"""An HTTP proxy that fails as networks and clouds do: it is away, throttles, or loses answers."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Attributes
    ----------
    method, path, headers
        Method, path and headers of the request.
    status
        Status of the answer; 0 if the client got none.
    sent, received
        Bytes of the body of the request and of the answer. If the proxy went away during an answer, the bytes that it
        was sending count as received.
    """

    method: str
    path: str
    headers: Message
    status: int
    sent: int
    received: int


@dataclass(frozen=True)
class _Fault:
    """A fault of one request: an answer of the proxy, or the answer of the server, cut off in its body."""

    method: str
    status: int = 0
    retry_after: str | None = None
    kept: int | None = None


_BLOCK = 1 << 16


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # if more clients wait, they retry only after a second


class FaultyProxy:
    """Forwards HTTP to a port of this machine and makes the planned faults. See `faulty_proxy`.

    Each fault applies to the next request that it fits.
    """

    def __init__(self, target_port: int) -> None:
        self.exchanges: list[Exchange] = []
        self._target_port = target_port
        self._away_until = 0.0
        self._faults: list[_Fault] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def bytes_received(self) -> int:
        """Bytes that clients received, without headers."""
        return sum(exchange.received for exchange in self.exchanges)

    def go_away(self, seconds: float) -> None:
        """Close every connection for the next seconds, also in the middle of an answer."""
        self._away_until = time.monotonic() + seconds

    def answer_next(self, times: int, status: int, *, retry_after: str | None = None, method: str = "") -> None:
        """Answer the next `times` requests, of any method or of one, without the server."""
        self._add(*[_Fault(method, status, retry_after)] * times)

    def lose_next_answer(self, method: str = "") -> None:
        """Let the server execute the next request, and close the connection before its answer."""
        self._add(_Fault(method))

    def break_next_answer(self, after: int, method: str = "GET") -> None:
        """Close the connection of the next answer after some bytes of its body."""
        self._add(_Fault(method, kept=after))

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _add(self, *faults: _Fault) -> None:
        with self._lock:
            self._faults += faults

    def _next_fault(self, method: str) -> _Fault | None:
        with self._lock:
            fault = next((fault for fault in self._faults if fault.method in ("", method)), None)
            if fault is not None:
                self._faults.remove(fault)
            return fault

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:  # noqa: N805  `self` is the handler
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # otherwise each answer waits for the client to acknowledge its headers
            timeout = 60

            def handle(self) -> None:
                with suppress(ConnectionError, TimeoutError):  # the client went away
                    super().handle()

            def forward(self) -> None:
                body = self._body()
                fault = None if proxy._is_away() else proxy._next_fault(self.command)
                if proxy._is_away():
                    self._note(0, len(body), 0)
                    self._break_off()
                elif fault and fault.status:
                    self._refuse(fault, len(body))
                else:
                    answer, content = self._ask_server(body)
                    if (fault and fault.kept is None) or proxy._is_away():
                        self._note(0, len(body), 0)
                        self._break_off()
                    else:
                        self._answer(answer, content, len(body), fault.kept if fault else None)

            def _ask_server(self, body: bytes) -> tuple[HTTPResponse, bytes]:
                with closing(HTTPConnection("127.0.0.1", proxy._target_port, timeout=60)) as server:
                    server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        if name.lower() != "transfer-encoding":
                            server.putheader(name, value)
                    server.endheaders(body)
                    answer = server.getresponse()
                    return answer, answer.read()

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = forward  # noqa: N815

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                chunks = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                self.headers["Content-Length"] = str(sum(map(len, chunks)))
                return b"".join(chunks)

            def _answer(self, answer: HTTPResponse, content: bytes, sent: int, kept: int | None) -> None:
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                # The answer to a HEAD has the length of the body that a GET would return.
                told = answer.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", told)
                kept = len(content) if kept is None else kept
                # It is noted first, because a test that has the answer may read the notes at once.
                self._note(answer.status, sent, kept)
                self.end_headers()
                for start in range(0, kept, _BLOCK):
                    if proxy._is_away():
                        self._break_off()
                        return
                    self.wfile.write(content[start : min(start + _BLOCK, kept)])
                if kept < len(content):
                    self._break_off()

            def _refuse(self, fault: _Fault, sent: int) -> None:
                self._note(fault.status, sent, 0)
                self.send_response_only(fault.status)
                if fault.retry_after is not None:
                    self.send_header("Retry-After", fault.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _break_off(self) -> None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)

            def _note(self, status: int, sent: int, received: int) -> None:
                proxy.exchanges.append(Exchange(self.command, self.path, self.headers, status, sent, received))

            def log_message(self, *_: object) -> None:
                """Print nothing. Tests read `exchanges`."""

        return Handler


@contextmanager
def faulty_proxy(target_port: int) -> Iterator[FaultyProxy]:
    """Start a proxy on a free port that forwards to a server on this machine."""
    proxy = FaultyProxy(target_port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
