"""Requests that send a file byte by byte, so that a test decides what comes and when."""

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answered:
    """The answer to a request: its status, its headers as they were sent, and its JSON if it has any."""

    status: int
    headers: str
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def opened(address: str, sender: str = "127.0.0.1") -> socket.socket:
    """Return a connection to a server from an address of this machine."""
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port), timeout=60, source_address=(sender, 0))


def head_of_put(length: int | None, name: str = "song.mp3", more: str = "") -> bytes:
    """Return the head of a request that sends a file of a length; None leaves the length out."""
    said = "" if length is None else f"Content-Length: {length}\r\n"
    return (
        f"PUT /uploads?name={name} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        f"Connection: close\r\n{said}{more}\r\n"
    ).encode()


def answer_of(connection: socket.socket) -> Answered:
    """Read the answer of a server until it closes the connection."""
    received = b""
    try:
        while block := connection.recv(1 << 16):
            received += block
    except ConnectionError:
        pass
    head, _, body = received.partition(b"\r\n\r\n")
    return Answered(int(head.split()[1]) if head else 0, head.decode("latin-1"), body)


def put(address: str, content: bytes, *, length: int | None = None, name: str = "song.mp3") -> Answered:
    """Send a file, or a part of it if a larger length is said, and return the answer."""
    with opened(address) as connection:
        connection.sendall(head_of_put(len(content) if length is None else length, name) + content)
        connection.shutdown(socket.SHUT_WR)
        return answer_of(connection)
