"""Doubles of AudD, ACRCloud and AcoustID. Each checks its requests and answers as its documentation says."""

import base64
import gzip
import hashlib
import hmac
import json
import secrets
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import av


@dataclass(frozen=True)
class Received:
    """A request: the fields of its form, and its files by field."""

    path: str
    fields: dict[str, str]
    files: dict[str, bytes]


class ServiceDouble(ABC):
    """A double of one API.

    Attributes
    ----------
    received
        Requests in order.
    faults
        Faults of the next requests in order, from the functions below.
    error
        Code of the documented error that it answers with. 0 for no error.
    knows
        Whether it recognises the music.
    """

    path = "/"

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.faults: deque[Fault] = deque()
        self.error = 0
        self.knows = True
        self.stopping = threading.Event()

    @abstractmethod
    def answer(self, received: Received) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of an answer."""


class AudDDouble(ServiceDouble):
    def __init__(self) -> None:
        super().__init__()
        self.token = secrets.token_hex(16)

    def answer(self, received: Received) -> tuple[int, dict[str, Any]]:
        code = self.error or self._fault_of(received)
        if code:
            error = {"error_code": code, "error_message": f"failed for {received.fields.get('api_token')}"}
            return 200, {"status": "error", "error": error, "request_params": received.fields}
        result = {
            "artist": "Will Savino",
            "title": "Ocean",
            "album": "Music d20",
            "release_date": "2019-01-01",
            "timecode": "01:07",
            "song_link": "",
        }
        return 200, {"status": "success", "result": result if self.knows else None}

    def _fault_of(self, received: Received) -> int:
        if "api_token" not in received.fields:
            return 901
        if received.fields["api_token"] != self.token:
            return 900
        if "file" not in received.files:
            return 700
        if len(received.files["file"]) > 10_000_000:
            return 400
        return 0 if is_audio(received.files["file"]) else 500


class AcrCloudDouble(ServiceDouble):
    path = "/v1/identify"

    def __init__(self) -> None:
        super().__init__()
        self.key = secrets.token_hex(16)
        self.secret = secrets.token_hex(20)

    def answer(self, received: Received) -> tuple[int, dict[str, Any]]:
        code = self.error or self._fault_of(received) or (0 if self.knows else 1001)
        status = {"msg": "Success" if code == 0 else f"Error {code}", "code": code, "version": "1.0"}
        if code:
            return 200, {"status": status}
        music = {
            "title": "Ocean",
            "artists": [{"name": "Will Savino"}, {"name": "A Guest"}],
            "album": {"name": "Music d20"},
            "score": 92,
            "play_offset_ms": 79_000,
            "db_begin_time_offset_ms": 67_000,
            "sample_begin_time_offset_ms": 0,
            "acrid": "6049f11da7095e8bb8266871d4a70873",
            "external_ids": {"isrc": "USXX11900001", "upc": None},
        }
        return 200, {"status": status, "metadata": {"music": [music, {**music, "title": "Another"}]}}

    def _fault_of(self, received: Received) -> int:
        fields = received.fields
        if fields.get("access_key") != self.key:
            return 3001
        signed = "\n".join(
            ("POST", self.path, self.key, fields["data_type"], fields["signature_version"], fields["timestamp"])
        )
        expected = base64.b64encode(hmac.new(self.secret.encode(), signed.encode(), hashlib.sha1).digest()).decode()
        if fields["signature"] != expected or abs(int(fields["timestamp"]) - time.time()) > 300:
            return 3014
        sample = received.files.get("sample", b"")
        if fields["sample_bytes"] != str(len(sample)) or not 0 < len(sample) < 5_000_000:
            return 3006
        return 0 if is_audio(sample) else 2004


class AcoustIdDouble(ServiceDouble):
    path = "/v2/lookup"

    def __init__(self) -> None:
        super().__init__()
        self.key = secrets.token_hex(5)

    def answer(self, received: Received) -> tuple[int, dict[str, Any]]:
        code = self.error or self._fault_of(received)
        if code:
            return 400, {"status": "error", "error": {"code": code, "message": f"error for {self.key}"}}
        nameless = {"id": secrets.token_hex(8), "score": 0.99}
        named = {
            "id": secrets.token_hex(8),
            "score": 0.93,
            "recordings": [
                {"id": "a recording without a title"},
                {
                    "id": "cd2e7c47-16f5-46c6-a37c-a1eb7bf599ff",
                    "title": "Ocean",
                    "artists": [
                        {"id": "1", "name": "Will Savino", "joinphrase": " & "},
                        {"id": "2", "name": "A Guest"},
                    ],
                },
            ],
        }
        alike = {"id": secrets.token_hex(8), "score": 0.2, "recordings": [{"id": "3", "title": "Merely alike"}]}
        return 200, {"status": "ok", "results": [alike, nameless, *([named] if self.knows else [])]}

    def _fault_of(self, received: Received) -> int:
        import chromaprint

        fields = received.fields
        if not {"client", "duration", "fingerprint"} <= fields.keys():
            return 2
        if fields["client"] != self.key:
            return 4
        if not 0 < int(fields["duration"]) <= 0x7FFF:
            return 8
        frames, algorithm = chromaprint.decode_fingerprint(fields["fingerprint"].encode())
        return 0 if frames and algorithm == 1 else 3


def is_audio(data: bytes) -> bool:
    import io

    try:
        with av.open(io.BytesIO(data), "r") as file:
            return next(file.decode(audio=0), None) is not None
    except (av.FFmpegError, IndexError):
        return False


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_POST(self) -> None:
        double = self.server.double
        double.received.append(self._read())
        if double.faults:
            double.faults.popleft()(self)
        elif self.path != double.path:
            self.send(404, b"<html>Not found</html>", "text/html")
        else:
            status, body = double.answer(double.received[-1])
            self.send(status, json.dumps(body).encode())

    def send(self, status: int, body: bytes, media_type: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002
        """Print nothing."""

    def _read(self) -> Received:
        body, media_type = self.rfile.read(int(self.headers["Content-Length"])), self.headers["Content-Type"]
        if not media_type.startswith("multipart/form-data"):
            fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return Received(self.path, fields, {})
        message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {media_type}\r\n\r\n".encode() + body)
        received = Received(self.path, {}, {})
        for part in message.iter_parts():
            name, content = str(part.get_param("name", header="Content-Disposition")), part.get_payload(decode=True)
            assert isinstance(content, bytes)
            if part.get_filename():
                received.files[name] = content
            else:
                received.fields[name] = content.decode()
        return received


Fault = Callable[[_Handler], None]
"""A function that handles a request instead of answering it."""


def status(code: int, retry_after: str = "") -> Fault:
    return lambda handler: handler.send(
        code, b'{"message": "busy"}', **({"Retry_After": retry_after} if retry_after else {})
    )


def sends(body: bytes, media_type: str = "application/json", **headers: str) -> Fault:
    return lambda handler: handler.send(200, body, media_type, **headers)


def redirects(url: str) -> Fault:
    return lambda handler: handler.send(307, b"", Location=url)


def bursts(megabytes: int) -> Fault:
    """Return a fault with a compressed answer that grows a thousandfold."""
    return sends(gzip.compress(b"[" * megabytes * 1_000_000), Content_Encoding="gzip")


def is_slow(handler: _Handler) -> None:
    """Answer only after every client has given up."""
    handler.server.double.stopping.wait(30)


def trickles(handler: _Handler) -> None:
    """Begin an answer at once and never finish it."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.double.stopping.wait(0.02):
        handler.wfile.write(b" ")


def resets(handler: _Handler) -> None:
    """Reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def breaks_off(handler: _Handler) -> None:
    """Send fewer bytes than the headers announce."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"status": "success", "result": null}')


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    double: ServiceDouble

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing. In some tests the client closes the connection early."""


@contextmanager
def serving(double: ServiceDouble) -> Iterator[ServiceDouble]:
    """Run a double until the end of the ``with``."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.double = double
        double.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield double
        finally:
            double.stopping.set()
            server.shutdown()
            thread.join()
