"""The key that signs links and makes upload ids unguessable."""

import os
import secrets
from pathlib import Path

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.secrets.port import SecretSource

_KEY_BYTES = 32


def local_signing_key(folder: Path) -> bytes:
    """Return the key of a local library. It is made on its first use.

    Parameters
    ----------
    folder
        Folder of the key's file. It is made if it is missing. Only the owner of the file may read it.

    Returns
    -------
    bytes
        32 random bytes, the same for every process.

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
            f"the signing key cannot be read or made ({error.strerror})",
            subject=str(path),
            remedy="Check the folder's permissions",
        ) from error
    if len(key) != _KEY_BYTES:
        raise StoreError(
            f"a signing key has {_KEY_BYTES} bytes, this file {len(key)}",
            subject=str(path),
            remedy="Delete it: existing links stop working, and new ones work",
        )
    return key


def shared_signing_key(secrets: SecretSource) -> bytes:
    """Return the key of a library that many machines share: the secret ``signing-key``.

    Raises
    ------
    SecretNotFound
        If there is no such secret.
    StoreError
        If the secret has fewer than 32 characters, or its source cannot be reached.
    """
    key = secrets.get("signing-key").encode()
    if len(key) < _KEY_BYTES:
        raise StoreError(
            f"a signing key has {_KEY_BYTES} characters or more, this one {len(key)}",
            subject="Secret signing-key",
            remedy="Store a longer one, for example from `openssl rand -hex 32`",
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
        # If two processes make a key at once, the first link wins. A link always shows a complete file.
        path.hardlink_to(unfinished)
    except FileExistsError:
        return
    finally:
        unfinished.unlink()
