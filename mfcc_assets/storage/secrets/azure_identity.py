"""Who this process is towards Azure: one identity for blobs, documents and secrets."""

from functools import cache

from azure.identity import DefaultAzureCredential


@cache
def process_identity() -> DefaultAzureCredential:
    """The identity that the machine or its user has: a managed identity, a workload's, or that of ``az login``.

    It never asks anybody to sign in. Its tokens are kept until shortly before they end; nothing is asked for here.
    """
    return DefaultAzureCredential(exclude_interactive_browser_credential=True)
