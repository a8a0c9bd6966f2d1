"""A double of a Key Vault, which has no emulator. It speaks TLS, requires a token, keeps versions, and can be away."""

import json
import secrets
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import trustme
from azure.core.credentials import AccessToken, TokenCredential
from azure.keyvault.secrets import SecretClient

from mfcc_assets.storage.secrets.key_vault import client_options

_RESOURCE = "https://vault.azure.net"
_NEVER = 2**31


@dataclass
class _Secret:
    versions: list[tuple[str, str]] = field(default_factory=list)
    enabled: bool = True


@dataclass(frozen=True)
class Refusal:
    """An answer that the vault gives once instead of a secret."""

    status: int
    code: str
    inner_code: str = ""
    retry_after: str = ""


class VaultDouble:
    """The content of the vault, and a record of the requests.

    Attributes
    ----------
    asked
        Names of the requested secrets in order, from requests with the right token.
    refusals
        Answers of the next requests, in order.
    away
        Whether the vault closes connections without an answer.
    """

    def __init__(self, url: str, authority: Path) -> None:
        self.url = url
        self.authority = authority
        self.token = secrets.token_urlsafe(24)
        self.asked: list[str] = []
        self.refusals: deque[Refusal] = deque()
        self.away = False
        self._secrets: dict[str, _Secret] = {}

    def set(self, name: str, value: str) -> None:
        """Add a version, as ``az keyvault secret set`` does."""
        self._secrets.setdefault(name, _Secret()).versions.append((secrets.token_hex(16), value))

    def delete(self, name: str) -> None:
        del self._secrets[name]

    def disable(self, name: str) -> None:
        self._secrets[name].enabled = False

    def client(self, credential: TokenCredential | None = None) -> SecretClient:
        """Return a client as `open_key_vault` makes it, which also accepts a host outside vault.azure.net."""
        return SecretClient(
            self.url,
            credential or TokenOf(self),
            verify_challenge_resource=False,
            connection_verify=str(self.authority),
            **client_options(),
        )

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Return the status, the body and the headers of an answer."""
        address = urlsplit(path)
        if authorization != f"Bearer {self.token}":
            challenge = f'Bearer authorization="https://login.microsoftonline.com/{"0" * 8}", resource="{_RESOURCE}"'
            return 401, _error("Unauthorized"), {"WWW-Authenticate": challenge}
        _, collection, name, *version = address.path.split("/")
        if collection != "secrets" or "api-version" not in parse_qs(address.query):
            return 400, _error("BadParameter"), {}
        self.asked.append(name)
        if self.refusals:
            refusal = self.refusals.popleft()
            headers = {"Retry-After": refusal.retry_after} if refusal.retry_after else {}
            return refusal.status, _error(refusal.code, refusal.inner_code), headers
        secret = self._secrets.get(name)
        wanted = "".join(version)
        found = [(id_, value) for id_, value in secret.versions if wanted in ("", id_)] if secret else []
        if not secret or not found:
            return 404, _error("SecretNotFound"), {}
        if not secret.enabled:
            return 403, _error("Forbidden", "SecretDisabled"), {}
        id_, value = found[-1]
        return 200, {"value": value, "id": f"{self.url}/secrets/{name}/{id_}", "attributes": {"enabled": True}}, {}


class TokenOf:
    """A credential that the vault accepts."""

    def __init__(self, vault: VaultDouble) -> None:
        self._vault = vault

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == (f"{_RESOURCE}/.default",)
        return AccessToken(self._vault.token, _NEVER)


def _error(code: str, inner_code: str = "") -> dict[str, Any]:
    inner = {"innererror": {"code": inner_code}} if inner_code else {}
    return {"error": {"code": code, "message": f"The vault says {code}.", **inner}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    vault: VaultDouble

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing. In some tests the client closes the connection early."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.server.vault.away:
            self.close_connection = True
            return
        status, body, headers = self.server.vault.answer(self.path, self.headers.get("Authorization", ""))
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002
        """Print nothing."""


@contextmanager
def key_vault(folder: Path) -> Iterator[VaultDouble]:
    """Run a vault with its own certificate authority until the end of the ``with``."""
    authority = trustme.CA()
    certificates = folder / "authority.pem"
    authority.cert_pem.write_to_path(certificates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.vault = VaultDouble(f"https://localhost:{server.server_port}", certificates)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.vault
        finally:
            server.shutdown()
            thread.join()
