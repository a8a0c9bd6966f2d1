"""Chromaprint fingerprints. AcoustID identifies recordings by them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.errors import AudioError, RecogniserUnavailable
from mfcc_assets.recognition.services.http import UnusableExcerpt

# AcoustID's fingerprints cover the first two minutes of a recording.
_FINGERPRINTED_SECONDS = 120
_SAMPLE_RATE = 44_100


@dataclass(frozen=True)
class Chromaprint:
    """The Chromaprint fingerprint of the first two minutes of a recording.

    Attributes
    ----------
    text
        The fingerprint in Chromaprint's compressed text form.
    seconds
        Length of the whole recording.
    """

    text: str
    seconds: float


def chromaprint(path: Path) -> Chromaprint:
    """Decode a file and compute its Chromaprint fingerprint.

    Raises
    ------
    RecogniserUnavailable
        If Chromaprint is not installed or cannot use the file.
    """
    try:
        import chromaprint
    except ImportError:
        raise RecogniserUnavailable(
            "Chromaprint is not installed", subject="AcoustID", remedy="Install libchromaprint1"
        ) from None
    try:
        reader = AudioReader(path, _SAMPLE_RATE, trimmed_samples=0)
        fingerprinter = chromaprint.Fingerprinter()
        fingerprinter.start(_SAMPLE_RATE, 1)
        missing = _FINGERPRINTED_SECONDS * _SAMPLE_RATE
        for block in reader.blocks():
            if missing > 0:
                fingerprinter.feed((32767 * np.clip(block[:missing], -1, 1)).astype("<i2").tobytes())
                missing -= len(block)
        return Chromaprint(fingerprinter.finish().decode(), reader.audio.seconds)
    except (AudioError, chromaprint.FingerprintError):
        raise UnusableExcerpt(
            "Chromaprint cannot use the file", subject=path.name, remedy="Supply a longer file"
        ) from None
