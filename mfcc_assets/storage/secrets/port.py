"""The port `SecretSource`, which every source of secrets implements."""

import re
from abc import ABC, abstractmethod

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def check_name(name: str) -> None:
    """Raise ValueError if this cannot be the name of a secret."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a secret")


class SecretSource(ABC):
    """Secrets by name. A name has small letters and digits with single dashes between them, as in a Key Vault."""

    @abstractmethod
    def get(self, name: str) -> str:
        """Return a secret.

        Raises
        ------
        SecretNotFound
            If no secret of that name is configured. The remedy says where to put it.
        StoreError
            If the source cannot be reached.
        ValueError
            If the name is not as above.
        """

    def close(self) -> None:  # noqa: B027  most sources hold nothing open
        """Close the connections."""
