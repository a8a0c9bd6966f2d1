"""A proxy of PostgreSQL that loses the answer to a COMMIT, after the server has executed it."""

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK = 65536


class LosingProxy(socketserver.ThreadingTCPServer):
    """Forwards a connection until an answer is to be lost.

    Attributes
    ----------
    losses
        Number of answers to a COMMIT that are still to be lost. Each loss ends its connection.
    """

    daemon_threads = True
    block_on_close = True

    def __init__(self, server_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.server_port = server_port
        self.losses = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Connection(socketserver.BaseRequestHandler):
    server: LosingProxy
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.server_port)) as upstream:
            while True:
                readable, _, _ = select.select([self.request, upstream], [], [])
                for source in readable:
                    data = source.recv(_CHUNK)
                    if not data:
                        return
                    (upstream if source is self.request else self.request).sendall(data)
                    if source is self.request and b"COMMIT" in data and self.server.losses:
                        self.server.losses -= 1
                        upstream.recv(_CHUNK)
                        return


@contextmanager
def losing_proxy(server_port: int) -> Iterator[LosingProxy]:
    """Run a proxy of a port of this machine until the end of the ``with``. All clients must be closed by then."""
    with LosingProxy(server_port) as proxy:
        serving = threading.Thread(target=proxy.serve_forever, args=(0.02,))
        serving.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            serving.join()
