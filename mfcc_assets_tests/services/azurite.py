"""Azurite, the emulator of Azure Blob Storage, with accounts and a key that are made when it starts."""

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
    """A running server with `ACCOUNTS` empty accounts that share one key."""

    scheme: str
    port: int
    key: str
    accounts: Iterator[str]

    def new_url(self, port: int | None = None) -> str:
        """Return the address of an unused account. `port` is the port of a proxy, if there is one."""
        return f"{self.scheme}://127.0.0.1:{port or self.port}/{next(self.accounts)}"


class Identity:
    """A credential whose tokens look like those of a managed identity. Azurite does not verify their signature."""

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
    """Start Azurite on a free port. It keeps its blobs in memory.

    Parameters
    ----------
    folder
        Folder of its log and, with `tls`, of ``ca.pem``, the certificate that clients must trust.
    tls
        Whether it speaks HTTPS and accepts the tokens of an `Identity` as well as the key.
    """
    accounts = [f"account{number}" for number in range(ACCOUNTS)]
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    port = free_port()
    command: list[str | Path] = [_PROGRAM, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    # Azurite knows an older version of the protocol than the client. Nothing here needs the newer one.
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
