"""Where secrets come from: the port `SecretSource`, its adapter for the environment, and the key that signs links."""

import re
from abc import ABC, abstractmethod

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def check_name(name: str) -> None:
    """Raise ValueError for what cannot be the name of a secret."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a secret")


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
