"""The excerpt of a query that a service receives, and the secret that the service requires."""

from typing import Protocol

from mfcc_assets.audio.excerpt import Excerpt
from mfcc_assets.audio.outside import cut_excerpt
from mfcc_assets.errors import AudioError, RecogniserUnavailable, StoreError
from mfcc_assets.recognition.recogniser import RecognitionQuery
from mfcc_assets.recognition.services.http import UnusableExcerpt


class Secrets(Protocol):
    """Source of the keys and tokens of the services."""

    def get(self, name: str) -> str: ...


def read_secret(secrets: Secrets, name: str) -> str:
    """Read a secret. It is read again for each query, since it may have been rotated.

    Raises
    ------
    RecogniserUnavailable
        If the secret does not exist or the vault cannot be reached.
    """
    try:
        return secrets.get(name)
    except StoreError as error:
        raise RecogniserUnavailable(error.what, subject=error.subject, remedy=error.remedy) from None


def excerpt_of(query: RecognitionQuery) -> Excerpt:
    """Cut an excerpt out of the file of a query.

    Raises
    ------
    RecogniserUnavailable
        If no excerpt can be cut out of the file.
    """
    try:
        return cut_excerpt(query.path)
    except AudioError as error:
        raise UnusableExcerpt(error.what, subject=error.subject, remedy=error.remedy) from None
