"""Chromaprint fingerprints: what AcoustID knows recordings by."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mfcc_assets.audio.decoders import open_decoder
from mfcc_assets.errors import AudioError, RecogniserUnavailable
from mfcc_assets.recognition.services.http import UnusableSample

# The database's fingerprints are of the first two minutes.
_MOST_SECONDS = 120
_BLOCK_FRAMES = 2**15


@dataclass(frozen=True)
class Chromaprint:
    """Of the first two minutes of a recording.

    Attributes
    ----------
    text
        As Chromaprint compresses it.
    seconds
        Length of the whole recording.
    """

    text: str
    seconds: float


def chromaprint(path: Path) -> Chromaprint:
    """Decode a file, and compute its fingerprint.

    Raises
    ------
    RecogniserUnavailable
        Chromaprint is not installed, or can do nothing with the file.
    """
    try:
        import chromaprint  # type: ignore[import-untyped]
    except ImportError:
        raise RecogniserUnavailable(
            "Chromaprint is not installed", subject="AcoustID", remedy="Install libchromaprint1"
        ) from None
    try:
        with closing(open_decoder(path, path.name)) as decoder:
            printer = chromaprint.Fingerprinter()
            # Mixed down here, as Chromaprint does it too: it takes no more than it takes channels for.
            printer.start(decoder.sample_rate, 1)
            missing = _MOST_SECONDS * decoder.sample_rate
            decoded = 0
            while len(block := decoder.read(_BLOCK_FRAMES)):
                if missing > 0:
                    mono = np.clip(block[:missing].mean(axis=1), -1, 1)
                    printer.feed((32767 * mono).astype("<i2").tobytes())
                    missing -= len(block)
                elif decoder.declared_seconds:
                    break
                decoded += len(block)
            return Chromaprint(printer.finish().decode(), decoder.declared_seconds or decoded / decoder.sample_rate)
    except (AudioError, chromaprint.FingerprintError):
        raise UnusableSample(
            "Chromaprint can do nothing with the file", subject=path.name, remedy="Supply a longer file"
        ) from None
