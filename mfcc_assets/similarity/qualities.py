"""Words for how a track sounds compared with the library: dark or bright, calm or lively, soft or loud.

A word is said of a track only if every figure of its quality is beyond those of two thirds of the library, and no other
figure speaks against it. Nothing is said of the other tracks, which are more than half for most qualities.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.low_band import low_band_cepstra, treble
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.silence import without_silence
from mfcc_assets.features.statistics import segment_means
from mfcc_assets.sentence import Sentence

_BEYOND = 2 / 3
"""Share of the library that a track must be beyond."""

_SUPPORTED = 1 / 2
"""Share of the library that a track must be beyond by the figures that support a word."""

_FEWEST_TRACKS = 6
"""A smaller library has no words: its tracks could all be dark."""

_CHANGE_SECONDS = 0.05
"""Changes from one twentieth of a second to the next are those that a listener hears as movement."""


@dataclass(frozen=True)
class Quality:
    """A quality of a sound, with a word for each of its ends.

    Attributes
    ----------
    low, high
        Words for a track whose figures are lower, or higher, than those of two thirds of the library.
    figures
        Columns of `sound_figures` that must be beyond those of two thirds of the library.
    supporting
        Columns that must be beyond those of half of the library, in the same direction.
    """

    low: Sentence
    high: Sentence
    figures: tuple[int, ...]
    supporting: tuple[int, ...] = ()


QUALITIES = (
    Quality(Sentence("dark"), Sentence("bright"), (0, 1)),
    # A wall of sound, such as metal, changes little, and nobody would call it calm. It is loud throughout.
    Quality(Sentence("calm"), Sentence("lively"), (2, 3), supporting=(4,)),
    Quality(Sentence("mostly soft"), Sentence("loud throughout"), (4,)),
)
"""All qualities, in the order in which they are said."""


def sound_figures(cepstra: NDArray[np.float32], parameters: CepstraParameters) -> NDArray[np.float64]:
    """Return figures of how a track sounds.

    Parameters
    ----------
    cepstra : (frames, d) float32
        Cepstra of the track, at least one frame.
    parameters
        Parameters of these cepstra.

    Returns
    -------
    (5,)
        Brightness within the low band, which is minus its second coefficient; treble above the low band; mean change
        of the spectrum, and of the level, from one twentieth of a second to the next; and mean level, relative to the
        loudest sample. Silence is left out.
    """
    sounding = without_silence(cepstra)
    low = low_band_cepstra(sounding, parameters)
    moments = segment_means(low, max(1, round(len(low) * parameters.step_seconds / _CHANGE_SECONDS)))
    changes = np.abs(np.diff(moments, axis=0)).mean(axis=0) if len(moments) > 1 else np.zeros(low.shape[1])
    mean = low.mean(axis=0, dtype=np.float64)
    above = treble(sounding.mean(axis=0, dtype=np.float64), parameters)
    return np.array([-mean[1], above, changes[1:].mean(), changes[0], mean[0]], np.float64)


def words_for(figures: NDArray[np.float64], library: NDArray[np.float64]) -> dict[Quality, Sentence]:
    """Return the word for each quality that a track has more or less of than two thirds of the library.

    Parameters
    ----------
    figures : (5,)
        Result of `sound_figures` for the track.
    library : (tracks, 5)
        Those of tracks of the library.

    Examples
    --------
    >>> library = np.arange(9.0)[:, np.newaxis] * np.ones(5)
    >>> list(words_for(np.array([0.0, 0.5, 4.0, 9.0, 9.0]), library).values())
    ['dark', 'loud throughout']
    """
    if len(library) < _FEWEST_TRACKS:
        return {}
    lower, higher = (library < figures).mean(axis=0), (library > figures).mean(axis=0)
    words = {}
    for quality in QUALITIES:
        columns, supporting = list(quality.figures), list(quality.supporting)
        for word, share in ((quality.low, higher), (quality.high, lower)):
            if (share[columns] >= _BEYOND).all() and (share[supporting] >= _SUPPORTED).all():
                words[quality] = word
    return words
