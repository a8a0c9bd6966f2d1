"""The excerpt of a query that a service receives, and the secret that the service requires."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.excerpt import Excerpt, usual_begin
from mfcc_assets.audio.outside import cut_excerpt
from mfcc_assets.errors import AudioError, RecogniserUnavailable, StoreError
from mfcc_assets.features.silence import FRAME_SECONDS, sounding_frames
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
    """Cut an excerpt out of the file of a query, where there is music and no silence.

    Raises
    ------
    RecogniserUnavailable
        If no excerpt can be cut out of the file.
    """
    try:
        return cut_excerpt(query.path, begin_seconds=_begin_of_music(query.cepstra))
    except AudioError as error:
        raise UnusableExcerpt(error.what, subject=error.subject, remedy=error.remedy) from None


def _begin_of_music(cepstra: NDArray[np.float32]) -> float | None:
    """Return where the excerpt of a file with silence begins in seconds; None if there is no silence."""
    kept = sounding_frames(cepstra)
    if len(kept) == len(cepstra):
        return None
    position = usual_begin(len(kept) * FRAME_SECONDS)
    return float(kept[int(position / FRAME_SECONDS)] * FRAME_SECONDS)
