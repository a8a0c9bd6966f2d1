"""A Cosmos DB account on this machine: the npm package `@vercel/cosmosdb-server`, with fixes.

``cosmos_server.js`` adds behaviour of the service that the package lacks. It answers 404 for a missing item, keeps the
items of a container whose properties are replaced, deletes items after their time to live, refuses a wrong key, an item
above 2 MB and invalid Unicode, does not let an identity make databases and containers, and gives the address of the
account, from which the client finds its regions.

Nothing here needs the remaining differences: ``partition_key=`` of a query is ignored, and so is ``If-Match`` of an
upsert of a missing item. OFFSET, GROUP BY, DISTINCT, batches and the change feed do not work.
"""

import base64
import json
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

import trustme
from azure.core.credentials import AccessToken

from mfcc_assets_tests.services.processes import free_port, running_server

_MODULES = Path(sys.prefix) / "servers/node_modules"
_SCRIPT = Path(__file__).with_name("cosmos_server.js")


@dataclass(frozen=True)
class Fault:
    """A fault that some of the next requests meet.

    Attributes
    ----------
    method, path
        Method of these requests, and a part of their paths.
    times
        Number of requests that meet the fault.
    status, headers
        Answer that replaces the answer of the server. With status 0 there is none, and the connection is closed.
    is_executed
        Whether the server executes a request that gets no answer.
    """

    method: str
    path: str = ""
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    is_executed: bool = False


@dataclass(frozen=True)
class CosmosServer:
    """A running account."""

    url: str
    folder: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def key(self) -> str:
        """The only key that the server accepts now."""
        return (self.folder / "cosmos.key").read_text()

    def rotate_key(self) -> None:
        """Make a new key. The old one is no longer accepted."""
        _replace(self.folder / "cosmos.key", base64.b64encode(secrets.token_bytes(64)).decode())

    def befall(self, *faults: Fault) -> None:
        """Replace the planned faults by these. It needs plain HTTP."""
        body = json.dumps([asdict(fault) for fault in faults]).encode()
        urlopen(Request(f"{self.url}/faults", body, method="POST"), timeout=10).close()


class Identity:
    """A managed identity with the role Cosmos DB Built-in Data Contributor on the account of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken((self._folder / "identity.token").read_text(), int(time.time()) + 3600)


@contextmanager
def running_cosmos(folder: Path, *, tls: bool = False) -> Iterator[CosmosServer]:
    """Start the server on a free port. It keeps its items in memory.

    Parameters
    ----------
    folder
        Folder of its log, its key, the token of an identity and, with `tls`, of ``ca.pem``, the certificate that
        clients must trust.
    tls
        Whether it speaks HTTPS. The client sends tokens of an `Identity` only over HTTPS.
    """
    # The client does not verify certificates of 127.0.0.1, and gives a warning about it.
    host, port = "127.0.0.2" if tls else "127.0.0.1", free_port()
    server = CosmosServer(f"{'https' if tls else 'http'}://{host}:{port}", folder)
    server.rotate_key()
    _replace(folder / "identity.token", secrets.token_hex(32))
    if tls:
        _write_certificates(folder, host)
    with running_server(
        ["node", _SCRIPT, host, str(port), folder],
        folder / "cosmos.log",
        lambda: _accepts_connections(host, port),
        environment={"NODE_PATH": str(_MODULES)},
    ):
        yield server


def _accepts_connections(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text)
    unfinished.replace(path)


def _write_certificates(folder: Path, host: str) -> None:
    authority = trustme.CA()
    server = authority.issue_cert(host)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    server.private_key_pem.write_to_path(folder / "server.key")
    (folder / "server.pem").write_bytes(b"".join(part.bytes() for part in server.cert_chain_pems))
