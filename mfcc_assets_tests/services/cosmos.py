"""A Cosmos DB account on this machine: the npm package `@vercel/cosmosdb-server`, with its faults mended.

Around the package ``cosmos_server.js`` does what the service does and the package does not: it finds a missing item
missing instead of failing, keeps the items of a container whose properties are replaced, lets items go at their time to
live, refuses a wrong key, an item above 2 MB and text that is no Unicode, keeps an identity from making databases and
containers, and says where the account is, so that the client finds its regions as it does in Azure.

Not mended, as nothing here needs it: ``partition_key=`` of a query is ignored, ``If-Match`` of an upsert whose item is
gone too, and OFFSET, GROUP BY, DISTINCT, batches and the change feed do not work.
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
    """What befalls requests to come.

    Attributes
    ----------
    method, path
        Of these requests; `path` is any part of theirs.
    times
        How many of them it befalls.
    status, headers
        The answer, instead of the server's own. Status 0: there is none, and the connection is cut.
    is_executed
        Without an answer: whether what was asked for is done nevertheless.
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
        """The one key that it takes now."""
        return (self.folder / "cosmos.key").read_text()

    def rotate_key(self) -> None:
        """Have it take another key, and the former no more."""
        _replace(self.folder / "cosmos.key", base64.b64encode(secrets.token_bytes(64)).decode())

    def befall(self, *faults: Fault) -> None:
        """Have these faults happen, and none that were told before; over plain HTTP only."""
        body = json.dumps([asdict(fault) for fault in faults]).encode()
        urlopen(Request(f"{self.url}/faults", body, method="POST"), timeout=10).close()


class Identity:
    """A managed identity with the role Cosmos DB Built-in Data Contributor on the account of that folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken((self._folder / "identity.token").read_text(), int(time.time()) + 3600)


@contextmanager
def running_cosmos(folder: Path, *, tls: bool = False) -> Iterator[CosmosServer]:
    """Start it on a free port; what it holds ends with it.

    Parameters
    ----------
    folder
        Where its log, its key and an identity's token are; with `tls` also ``ca.pem``, which clients are to trust.
    tls
        Whether it speaks HTTPS, without which the client sends no tokens of an `Identity`.
    """
    # At 127.0.0.1 the client does not verify a certificate, and warns of that.
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
