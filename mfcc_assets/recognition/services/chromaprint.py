"""Chromaprint fingerprints. AcoustID identifies recordings by them."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mfcc_assets.audio.decoders import open_decoder
from mfcc_assets.errors import AudioError, RecogniserUnavailable
from mfcc_assets.recognition.services.http import UnusableExcerpt

# AcoustID's fingerprints cover the first two minutes of a recording.
_FINGERPRINTED_SECONDS = 120
_BLOCK_FRAMES = 2**15


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
        with closing(open_decoder(path, path.name)) as decoder:
            fingerprinter = chromaprint.Fingerprinter()
            # Chromaprint accepts only a few channels, so mix down first.
            fingerprinter.start(decoder.sample_rate, 1)
            missing = _FINGERPRINTED_SECONDS * decoder.sample_rate
            decoded = 0
            while len(block := decoder.read(_BLOCK_FRAMES)):
                if missing > 0:
                    mono = np.clip(block[:missing].mean(axis=1), -1, 1)
                    fingerprinter.feed((32767 * mono).astype("<i2").tobytes())
                    missing -= len(block)
                elif decoder.declared_seconds:
                    break
                decoded += len(block)
            seconds = decoder.declared_seconds or decoded / decoder.sample_rate
            return Chromaprint(fingerprinter.finish().decode(), seconds)
    except (AudioError, chromaprint.FingerprintError):
        raise UnusableExcerpt(
            "Chromaprint cannot use the file", subject=path.name, remedy="Supply a longer file"
        ) from None
