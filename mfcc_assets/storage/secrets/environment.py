"""Secrets in environment variables: an adapter of `SecretSource`."""

from collections.abc import Mapping

from mfcc_assets.errors import SecretNotFound
from mfcc_assets.storage.secrets.port import SecretSource, check_name


def variable_of(name: str) -> str:
    """Return the environment variable of a secret. Raises ValueError if this cannot be the name of a secret.

    Examples
    --------
    >>> variable_of("audd-token")
    'MFCC_SECRET_AUDD_TOKEN'
    """
    check_name(name)
    return f"MFCC_SECRET_{name.upper().replace('-', '_')}"


class EnvironmentSecrets(SecretSource):
    """Secrets in environment variables: ``audd-token`` is ``MFCC_SECRET_AUDD_TOKEN``.

    Parameters
    ----------
    environ
        Environment of the process. It is read at each call and not copied.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self, name: str) -> str:
        variable = variable_of(name)
        secret = self._environ.get(variable, "")
        # Docker Compose passes an unset variable as an empty one.
        if not secret:
            raise SecretNotFound("it is not configured", subject=f"Secret {name}", remedy=f"Set {variable}")
        return secret
