"""A server of the pages that is measured from outside, and what a client asks of it."""

import http.client
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mfcc_assets_tests.services.processes import accepts_connections, free_port, running_server

_BLOCK = 1 << 20
_PATIENCE = 120
_ENOUGH = "100000"


@dataclass(frozen=True)
class MeasuredServer:
    """A server of the pages.

    Attributes
    ----------
    address
        Its address.
    process
        Id of the process that answers.
    """

    address: str
    process: int

    def connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.address)
        return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=_PATIENCE)

    def memory(self, name: str = "VmRSS") -> int:
        """Return a figure of the memory of the process in bytes."""
        lines = Path(f"/proc/{self.process}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

    def forget_peak(self) -> None:
        """Let the peak of memory begin anew."""
        Path(f"/proc/{self.process}/clear_refs").write_text("5")

    def seconds_of(self, path: str) -> float:
        """Return the time from a request to the last byte of its answer."""
        connection = self.connection()
        connection.connect()
        begun = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        taken = time.perf_counter() - begun
        connection.close()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} answers {response.status}")
        return taken

    def send(self, name: str, blocks: Iterator[bytes], length: int) -> tuple[str, float]:
        """Send a file, and return the address of its page and the moment after its last byte."""
        connection = self.connection()
        connection.putrequest("PUT", f"/uploads?name={name}")
        connection.putheader("Content-Length", str(length))
        connection.putheader("Accept", "application/json")
        connection.endheaders()
        for block in blocks:
            connection.send(block)
        sent = time.perf_counter()
        response = connection.getresponse()
        told = json.loads(response.read())
        connection.close()
        if response.status != http.HTTPStatus.CREATED:
            raise RuntimeError(f"{name} was refused: {told}")
        return told["address"], sent

    def send_file(self, path: Path) -> tuple[str, float]:
        """Send a file as `send`."""
        content = path.read_bytes()
        return self.send(path.name, (content[at : at + _BLOCK] for at in range(0, len(content), _BLOCK)), len(content))

    def wait_for_preview(self, page: str) -> float:
        """Return the moment at which the news of a preview has come."""
        while True:
            connection, response = self.stream(page)
            for line in response:
                if line.startswith(b"data:"):
                    shown = json.loads(line.removeprefix(b"data:"))["shown"]
                    if shown in ("preview", "recorded"):
                        arrived = time.perf_counter()
                        connection.close()
                        return arrived
                    if shown == "failed":
                        raise RuntimeError(f"{page} has no answer")
            connection.close()

    def stream(self, page: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Open the stream of news of an upload."""
        connection = self.connection()
        connection.request("GET", f"{page}/events")
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{page}/events answers {response.status}")
        return connection, response


@contextmanager
def measured_server(home: Path, ranking: str, log: Path) -> Iterator[MeasuredServer]:
    """Serve the pages of a library as `mfcc web` does, without limits of how much one client may send."""
    port = free_port()
    command = [sys.executable, "-c", "from mfcc_assets.cli.main import main; main()", "web", "--port", str(port)]
    settings = {
        "MFCC_HOME": str(home),
        "MFCC_RANKING": ranking,
        "MFCC_WEB_UPLOADS_PER_HOUR": _ENOUGH,
        "MFCC_WEB_WAITING_UPLOADS": _ENOUGH,
        "MFCC_WEB_STREAMS": "256",
    }
    with running_server(command, log, lambda: accepts_connections(port), environment=settings) as process:
        server = MeasuredServer(f"http://127.0.0.1:{port}", _worker_of(process.pid))
        server.seconds_of("/library")
        yield server


def _worker_of(process: int) -> int:
    children = Path(f"/proc/{process}/task/{process}/children")
    for _ in range(_PATIENCE):
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(1)
    raise RuntimeError("the server has no process that answers")
