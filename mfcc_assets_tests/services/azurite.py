"""Azurite, the emulator of Azure's blob storage: with accounts and keys that are made when it starts."""

import base64
import json
import secrets
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from azure.core.credentials import AccessToken

from mfcc_assets_tests.services.processes import accepts_connections, free_port, running_server

ACCOUNTS = 400

_PROGRAM = Path(sys.prefix) / "servers/node_modules/.bin/azurite-blob"


@dataclass(frozen=True)
class Azurite:
    """A running server with `ACCOUNTS` empty accounts, all opened by one key."""

    scheme: str
    port: int
    key: str
    accounts: Iterator[str]

    def new_url(self, port: int | None = None) -> str:
        """The address of an account that nobody used; `port` is that of a proxy before the server."""
        return f"{self.scheme}://127.0.0.1:{port or self.port}/{next(self.accounts)}"


class Identity:
    """A credential whose tokens look like those of a managed identity. Azurite reads them and does not verify."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        now, tenant = int(time.time()), str(uuid.uuid4())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
            "oid": str(uuid.uuid4()),
            "tid": tenant,
        }
        return AccessToken(f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{_encoded(claims)}.unsigned", now + 3600)


@contextmanager
def running_azurite(folder: Path, *, tls: bool = False) -> Iterator[Azurite]:
    """Start it on a free port; what it holds ends with it.

    Parameters
    ----------
    folder
        Where it keeps its log; with `tls` also ``ca.pem``, which clients are to trust.
    tls
        Whether it speaks HTTPS, and takes tokens of an `Identity` beside the key.
    """
    accounts = [f"account{number}" for number in range(ACCOUNTS)]
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    port = free_port()
    command: list[str | Path] = [_PROGRAM, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    # It speaks an older version of the protocol than the client; the newer one differs in nothing that is used here.
    command += ["--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
    if tls:
        _write_certificates(folder)
        command += ["--cert", folder / "server.pem", "--key", folder / "server.key", "--oauth", "basic"]
    with running_server(
        command,
        folder / "azurite.log",
        lambda: accepts_connections(port),
        environment={"AZURITE_ACCOUNTS": ";".join(f"{account}:{key}" for account in accounts)},
    ):
        yield Azurite("https" if tls else "http", port, key, iter(accounts))


def _write_certificates(folder: Path) -> None:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    server.private_key_pem.write_to_path(folder / "server.key")
    (folder / "server.pem").write_bytes(b"".join(part.bytes() for part in server.cert_chain_pems))


def _encoded(part: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
