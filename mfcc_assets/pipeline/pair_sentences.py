"""Sentences that say in a listener's words how two tracks of the library sound."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.feature_repair import cepstra_of
from mfcc_assets.pipeline.measured import measured_with_calibration
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.sentence import Sentence
from mfcc_assets.similarity.explain import SimilarStretch
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.similarity.pairwise import evenly_spaced
from mfcc_assets.similarity.qualities import QUALITIES, Quality, sound_figures, words_for

_logger = logging.getLogger(__name__)

SAMPLE_SIZE = 150
"""Number of tracks with which a track is compared. Reading their cepstra takes about a second."""

_NEARLY_THE_SAME = 0.99
"""Two stretches sound nearly the same if they differ less than this share of random moments of the library."""


def words_of(library: Library, index: LibraryIndex, cepstra: NDArray[np.float32]) -> Mapping[Quality, Sentence]:
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

    They are measured once for each calibration, and stored with it.
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

    return measured_with_calibration(library, index, "sound_figures.npz", measure)["figures"]


def sentences_of(
    titles: tuple[str, str],
    words: tuple[Mapping[Quality, Sentence], Mapping[Quality, Sentence]],
    stretches: Sequence[SimilarStretch],
    nearness: Nearness | None,
) -> list[Sentence]:
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
    beginning = f"{titles[0][:1].upper()}{titles[0][1:]}"
    if titles[0].casefold() == titles[1].casefold():
        titles = (Sentence("the first track"), Sentence("the second track"))
        beginning = Sentence("The first track")
    shared = [word for quality, word in words[0].items() if words[1].get(quality) == word]
    opposite = [quality for quality in QUALITIES if {quality.low, quality.high} == {of.get(quality) for of in words}]
    sentences = _of_common(titles, shared, stretches)
    if opposite:
        of_a, of_b = (_listed([of[quality] for quality in opposite]) for of in words)
        sentences.append(
            Sentence("%(a)s is %(of_a)s, and %(b)s is %(of_b)s.", a=beginning, b=titles[1], of_a=of_a, of_b=of_b)
        )
    if not stretches:
        sentences.append(Sentence("No stretch of %(a)s sounds like a stretch of %(b)s.", a=titles[0], b=titles[1]))
    if nearness is not None:
        sentences.append(_of_nearness(nearness))
    return sentences


def _of_common(
    titles: tuple[str, str], shared: Sequence[Sentence], stretches: Sequence[SimilarStretch]
) -> list[Sentence]:
    if not stretches:
        return [Sentence("Both are %(words)s.", words=_listed(shared))] if shared else []
    best = stretches[0]
    same = best.closer_than >= _NEARLY_THE_SAME
    stretch = {
        "begin_a": _clock(best.a_start),
        "begin_b": _clock(best.b_start),
        "a": titles[0],
        "b": titles[1],
        "alike": Sentence("nearly the same") if same else Sentence("alike"),
        "seconds": str(max(1, round(min(best.a_end - best.a_start, best.b_end - best.b_start)))),
    }
    if not shared:
        return [
            Sentence(
                "From %(begin_a)s of %(a)s and %(begin_b)s of %(b)s they sound %(alike)s for %(seconds)s s.", **stretch
            )
        ]
    return [
        Sentence(
            "Both are %(words)s; from %(begin_a)s of %(a)s and %(begin_b)s of %(b)s they sound %(alike)s for "
            "%(seconds)s s.",
            words=_listed(shared),
            **stretch,
        )
    ]


def _of_nearness(nearness: Nearness) -> Sentence:
    if nearness.closer_than == 1:
        return Sentence(
            "As a whole they are %(word)s: closer than all measured pairs of the library.", word=nearness.word
        )
    if nearness.closer_than == 0:
        return Sentence(
            "As a whole they are %(word)s: closer than none of the pairs of the library.", word=nearness.word
        )
    return Sentence(
        "As a whole they are %(word)s: closer than %(share)s of pairs of the library.",
        word=nearness.word,
        share=nearness.percentage,
    )


def _figures(library: Library, index: LibraryIndex, audio_id: AudioId) -> NDArray[np.float64]:
    parameters = index.parameters.features
    return sound_figures(cepstra_of(library, audio_id, parameters), parameters.cepstra)


def _listed(words: Sequence[Sentence]) -> Sentence:
    *others, last = words
    if not others:
        return last
    return Sentence("%(words)s and %(last)s", words=_enumerated(others), last=last)


def _enumerated(words: Sequence[Sentence]) -> Sentence:
    *others, last = words
    return Sentence("%(words)s, %(last)s", words=_enumerated(others), last=last) if others else last


def _clock(seconds: float) -> str:
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"
