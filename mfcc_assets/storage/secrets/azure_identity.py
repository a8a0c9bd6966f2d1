"""Who this process is towards Azure: one identity for blobs, documents and secrets."""

from collections.abc import Callable
from functools import cache

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential

from mfcc_assets.storage.secrets.port import SecretSource


@cache
def process_identity() -> DefaultAzureCredential:
    """The identity that the machine or its user has: a managed identity, a workload's, or that of ``az login``.

    It never asks anybody to sign in. Its tokens are kept until shortly before they end; nothing is asked for here.
    """
    return DefaultAzureCredential(exclude_interactive_browser_credential=True)


def credential_for(secrets: SecretSource, key_secret: str) -> TokenCredential | Callable[[], str]:
    """The key of an account where a secret holds it, read anew at each use; otherwise the identity of the process.

    Parameters
    ----------
    key_secret
        Name of the secret; empty for the identity.
    """
    return (lambda: secrets.get(key_secret)) if key_secret else process_identity()
