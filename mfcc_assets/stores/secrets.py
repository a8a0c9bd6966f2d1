"""Where secrets come from: the port `SecretSource`, its adapter for the environment, and the key that signs links."""

import os
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from mfcc_assets.core.errors import SecretNotFound, StoreError

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEY_BYTES = 32


class SecretSource(ABC):
    """Secrets by name: small letters, digits and single dashes between them, as Key Vault takes them too."""

    @abstractmethod
    def get(self, name: str) -> str:
        """The secret.

        Raises
        ------
        SecretNotFound
            If none of that name is configured. The remedy says where to put it.
        ValueError
            If the name is not as above.
        """


class EnvironmentSecrets(SecretSource):
    """Secrets in environment variables: ``audd-token`` is ``MFCC_SECRET_AUDD_TOKEN``.

    Parameters
    ----------
    environ
        The environment. It is read at each call and not copied.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a secret")
        variable = f"MFCC_SECRET_{name.upper().replace('-', '_')}"
        secret = self._environ.get(variable, "")
        # Compose files pass an unset variable on as an empty one.
        if not secret:
            raise SecretNotFound("It is not configured", subject=f"Secret {name}", remedy=f"Set {variable}")
        return secret


def signing_key(folder: Path) -> bytes:
    """The key that signs links to local blobs, made at its first use.

    Parameters
    ----------
    folder
        Where the key's file is, made if missing. Only the file's owner may read it.

    Returns
    -------
    bytes
        32 random bytes, the same for every process that asks.

    Raises
    ------
    StoreError
        If the file cannot be read or written, or is not a key.
    """
    path = folder / "signing.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"The signing key cannot be read or made ({error.strerror})",
            subject=str(path),
            remedy="Check the folder's permissions",
        ) from error
    if len(key) != _KEY_BYTES:
        raise StoreError(
            f"A signing key has {_KEY_BYTES} bytes, this file {len(key)}",
            subject=str(path),
            remedy="Delete it; links given out so far end, new ones work",
        )
    return key


def _make_key(path: Path) -> None:
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Of two processes the first to link has made the key: unlike opening, linking shows the others a whole file.
        path.hardlink_to(unfinished)
    except FileExistsError:
        return
    finally:
        unfinished.unlink()
