"""Secrets in variables of the environment."""

from collections.abc import Mapping

from mfcc_assets.errors import SecretNotFound
from mfcc_assets.storage.secrets.port import SecretSource, check_name


def variable_of(name: str) -> str:
    """The environment variable that holds a secret where no vault does; ValueError for what is no secret's name."""
    check_name(name)
    return f"MFCC_SECRET_{name.upper().replace('-', '_')}"


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
