"""Where secrets come from: the port `SecretSource`, its adapter for the environment, and the key that signs links."""

import logging
import os
import re
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from mfcc_assets.core.errors import SecretNotFound, StoreError

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEY_BYTES = 32

# A vault that is away is rarely so for longer, and a secret that leaked must not live on.
_OUTLIVES_SECONDS = 3600.0
# Asked at each call, a vault that is away would hold up every upload for as long as its client is patient.
_ASKED_AGAIN_SECONDS = 30.0

_logger = logging.getLogger(__name__)


def check_name(name: str) -> None:
    """Raise ValueError for what cannot be the name of a secret."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a secret")


def variable_of(name: str) -> str:
    """The environment variable that holds a secret where no vault does; ValueError for what is no secret's name."""
    check_name(name)
    return f"MFCC_SECRET_{name.upper().replace('-', '_')}"


class SecretSource(ABC):
    """Secrets by name: small letters, digits and single dashes between them, as Key Vault takes them too."""

    @abstractmethod
    def get(self, name: str) -> str:
        """The secret.

        Raises
        ------
        SecretNotFound
            If none of that name is configured. The remedy says where to put it.
        StoreError
            If the source cannot be asked.
        ValueError
            If the name is not as above.
        """

    def close(self) -> None:  # noqa: B027  most sources hold nothing open
        """Give connections back."""


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
        variable = variable_of(name)
        secret = self._environ.get(variable, "")
        # Compose files pass an unset variable on as an empty one.
        if not secret:
            raise SecretNotFound("It is not configured", subject=f"Secret {name}", remedy=f"Set {variable}")
        return secret


@dataclass(frozen=True)
class _Kept:
    """A secret, and until when it is neither asked for again nor given up."""

    secret: str = field(repr=False)
    fresh_until: float
    usable_until: float


class CachedSecrets(SecretSource):
    """Another source's secrets, each asked for once in a while: so it is rotated without a restart.

    While the source is away, its secrets serve for an hour longer. What it says is gone is gone at once.

    Parameters
    ----------
    source
        Is asked once for each secret, however many threads want it.
    lifetime_seconds
        After so long it is asked again.
    clock
        Seconds that only go forward.
    """

    def __init__(
        self, source: SecretSource, lifetime_seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._lifetime = lifetime_seconds
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, Lock] = {}

    def get(self, name: str) -> str:
        check_name(name)
        # Of each name's own, so that a slow request holds up nobody who wants another secret.
        with self._locks.setdefault(name, Lock()):
            kept = self._kept.get(name)
            if kept is None or self._clock() >= kept.fresh_until:
                kept = self._kept[name] = self._asked(name, kept)
            return kept.secret

    def close(self) -> None:
        self._source.close()

    def _asked(self, name: str, kept: _Kept | None) -> _Kept:
        try:
            secret = self._source.get(name)
        except SecretNotFound:
            self._kept.pop(name, None)
            raise
        except StoreError as error:
            now = self._clock()
            if kept is None or now >= kept.usable_until:
                raise
            _logger.warning("Secret %s is used as it was: %s", name, error)
            return replace(kept, fresh_until=now + _ASKED_AGAIN_SECONDS)
        fresh_until = self._clock() + self._lifetime
        return _Kept(secret, fresh_until, fresh_until + _OUTLIVES_SECONDS)


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
