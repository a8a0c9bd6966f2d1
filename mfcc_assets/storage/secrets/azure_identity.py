"""The Azure identity of this process, for blobs, documents and secrets."""

from collections.abc import Callable
from functools import cache

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential

from mfcc_assets.storage.secrets.port import SecretSource


@cache
def process_identity() -> DefaultAzureCredential:
    """Return the identity of the machine or its user: a managed identity, a workload identity, or that of ``az login``.

    It never asks anybody to sign in. It requests no token until one is needed, and caches tokens until shortly before
    they expire.
    """
    return DefaultAzureCredential(exclude_interactive_browser_credential=True)


def credential_for(secrets: SecretSource, key_secret: str) -> TokenCredential | Callable[[], str]:
    """Return a function that reads an account's key from a secret, or the identity of the process.

    Parameters
    ----------
    secrets
        Source of the secret. It is read at each use of the key.
    key_secret
        Name of the secret that holds the account's key. Empty to use the identity.
    """
    return (lambda: secrets.get(key_secret)) if key_secret else process_identity()
