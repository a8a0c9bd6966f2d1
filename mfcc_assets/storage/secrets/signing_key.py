"""The key that signs links and makes upload ids."""

import os
import secrets
from pathlib import Path

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.secrets.port import SecretSource

_KEY_BYTES = 32


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


def shared_signing_key(secrets: SecretSource) -> bytes:
    """The key of a library that many machines work on: the secret ``signing-key``, of 32 characters or more.

    Raises
    ------
    StoreError
        It is shorter; SecretNotFound where there is none.
    """
    key = secrets.get("signing-key").encode()
    if len(key) < _KEY_BYTES:
        raise StoreError(
            f"A signing key has {_KEY_BYTES} characters or more, this one {len(key)}",
            subject="Secret signing-key",
            remedy="Put a longer one there, say of `openssl rand -hex 32`",
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
