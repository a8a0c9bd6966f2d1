"""What a service is sent of a query, and what it cannot be asked without."""

from typing import Protocol

from mfcc_assets.audio.excerpt import Excerpt, cut_excerpt
from mfcc_assets.errors import AudioError, RecogniserUnavailable, StoreError
from mfcc_assets.recognition.recogniser import Recording
from mfcc_assets.recognition.services.http import UnusableSample


class Secrets(Protocol):
    """Where the keys and tokens of the services are."""

    def get(self, name: str) -> str: ...


def secret(secrets: Secrets, name: str) -> str:
    """A secret, read anew for each query: it may be rotated.

    Raises
    ------
    RecogniserUnavailable
        There is none, or the vault is away.
    """
    try:
        return secrets.get(name)
    except StoreError as error:
        raise RecogniserUnavailable(error.what, subject=error.subject, remedy=error.remedy) from None


def sample(query: Recording) -> Excerpt:
    """A sample of a query.

    Raises
    ------
    RecogniserUnavailable
        None can be cut.
    """
    try:
        return cut_excerpt(query.path)
    except AudioError as error:
        raise UnusableSample(error.what, subject=error.subject, remedy=error.remedy) from None
