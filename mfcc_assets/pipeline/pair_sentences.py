"""Sentences that say in a listener's words how two tracks of the library sound."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.feature_repair import cepstra_of
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.explain import SimilarStretch
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.similarity.pairwise import evenly_spaced
from mfcc_assets.similarity.qualities import QUALITIES, Quality, sound_figures, words_for

_logger = logging.getLogger(__name__)

SAMPLE_SIZE = 150
"""Number of tracks with which a track is compared. Reading their cepstra takes about a second."""

_NEARLY_THE_SAME = 0.99
"""Two stretches sound nearly the same if they differ less than this share of random moments of the library."""


def words_of(library: Library, index: LibraryIndex, cepstra: NDArray[np.float32]) -> Mapping[Quality, str]:
    """Return the words for how a track or an upload sounds, compared with a sample of the library.

    Parameters
    ----------
    library
        The library.
    index
        One of its indexes.
    cepstra : (frames, d) float32
        Cepstra with the parameters of the index.
    """
    return words_for(sound_figures(cepstra, index.parameters.features.cepstra), figures_of_sample(library, index))


def figures_of_sample(library: Library, index: LibraryIndex) -> NDArray[np.float64]:
    """Return the figures (tracks, figures) of how a sample of an index sounds: see `sound_figures`.

    They are measured once for each index, and stored with it.
    """

    def measure() -> Mapping[str, NDArray[np.float64]]:
        # Audio ids are digests, so evenly spaced ones are a random sample.
        rows = evenly_spaced(len(index.tracks), SAMPLE_SIZE)
        found = []
        for row in rows.tolist():
            try:
                found.append(_figures(library, index, index.tracks.audio_ids[row]))
            except FeaturesMissing as error:
                _logger.warning("A track is left out of the comparison: %s", error)
        return {"figures": np.array(found).reshape(len(found), -1)}

    return library.indexes.measured_once(index.version, "sound_figures.npz", measure)["figures"]


def sentences_of(
    titles: tuple[str, str],
    words: tuple[Mapping[Quality, str], Mapping[Quality, str]],
    stretches: Sequence[SimilarStretch],
    nearness: Nearness | None,
) -> list[str]:
    """Return what a listener may want to know of a pair of tracks, as sentences.

    Parameters
    ----------
    titles
        Titles of both tracks.
    words
        Results of `words_of`.
    stretches
        Stretches that sound alike, best first.
    nearness
        How near the tracks are to each other.
    """
    if titles[0].casefold() == titles[1].casefold():
        titles = ("the first track", "the second track")
    shared = [word for quality, word in words[0].items() if words[1].get(quality) == word]
    opposite = [quality for quality in QUALITIES if {quality.low, quality.high} == {of.get(quality) for of in words}]
    clauses = [f"both are {_listed(shared)}"] if shared else []
    if stretches:
        best = stretches[0]
        alike = "nearly the same" if best.closer_than >= _NEARLY_THE_SAME else "alike"
        begins = f"from {_clock(best.a_start)} of {titles[0]} and {_clock(best.b_start)} of {titles[1]}"
        length = min(best.a_end - best.a_start, best.b_end - best.b_start)
        clauses.append(f"{begins} they sound {alike} for {max(1, round(length))} s")
    sentences = [_sentence("; ".join(clauses))] if clauses else []
    if opposite:
        of_each = (
            f"{title} is {_listed([of[quality] for quality in opposite])}"
            for title, of in zip(titles, words, strict=True)
        )
        sentences.append(_sentence(", and ".join(of_each)))
    if not stretches:
        sentences.append(f"No stretch of {titles[0]} sounds like a stretch of {titles[1]}.")
    if nearness is not None:
        sentences.append(f"As a whole they are {nearness.word}: {nearness} of the library.")
    return sentences


def _figures(library: Library, index: LibraryIndex, audio_id: AudioId) -> NDArray[np.float64]:
    parameters = index.parameters.features
    return sound_figures(cepstra_of(library, audio_id, parameters), parameters.cepstra)


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _clock(seconds: float) -> str:
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"
