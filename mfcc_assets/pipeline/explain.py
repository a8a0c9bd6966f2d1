"""Explain why a track is near to another one, to an upload or to a file: the figures, and a picture."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.contour import ContourTimes
from mfcc_assets.ids import QueryId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import search_for
from mfcc_assets.pipeline.feature_repair import cepstra_of
from mfcc_assets.pipeline.find_track import audio_in_index
from mfcc_assets.pipeline.measured import measured_with_calibration
from mfcc_assets.pipeline.nearness import nearness_record, pair_distances_of
from mfcc_assets.pipeline.pair_sentences import sentences_of, words_of
from mfcc_assets.plots.pair import pair_picture, pair_picture_without_words
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import Search
from mfcc_assets.sentence import Sentence
from mfcc_assets.similarity.dtw.distance import Frames
from mfcc_assets.similarity.explain import Explanation, RandomPairs, explain
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.similarity.qualities import Quality
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import printable

RANDOM_PAIRS = 400
"""Number of random pairs of tracks. They show how large distances in a library are."""


@dataclass(frozen=True, eq=False)
class PairedTrack:
    """One of the two tracks of a pair: a soundtrack, an upload, or another file.

    Attributes
    ----------
    track_id
        Track id, or upload id. It is None if the file is neither.
    title, artist
        Its title and artist, as its tags or the recognisers tell them; empty if nobody does.
    display_title
        The title, or a name that stands for it.
    seconds
        Length of the file.
    contour : (n, d)
        Its contour.
    times
        Times of the contour in the file.
    words
        Words for how it sounds, compared with the library.
    """

    track_id: QueryId | None
    title: str
    artist: str
    display_title: str
    seconds: float | None
    contour: Frames
    times: ContourTimes
    words: Mapping[Quality, Sentence]


@dataclass(frozen=True)
class ExplainedPair:
    """Why a track of an index is near to another one, to an upload or to a file.

    Attributes
    ----------
    index_version
        Version of the index.
    ranking
        Name of the index's ranking.
    ranked_distance
        Distance of the pair by that ranking. Recommendations show the same figure.
    parts
        Distance by each part of the ranking, in standard deviations from the mean distance of both tracks. It is
        negative if they are nearer than the mean.
    a, b
        The tracks. The second is a soundtrack.
    explanation
        Explanation of the distance by dynamic time warping.
    nearness
        How near the pair is by the ranking. It is None if the library is too small to say it.
    """

    index_version: str
    ranking: str
    ranked_distance: float
    parts: Mapping[str, float]
    a: PairedTrack
    b: PairedTrack
    explanation: Explanation
    nearness: Nearness | None

    @property
    def sentences(self) -> list[Sentence]:
        """What a listener may want to know of the pair. Every sentence is true by the figures."""
        titles = (printable(self.a.display_title), printable(self.b.display_title))
        return sentences_of(titles, (self.a.words, self.b.words), self.explanation.stretches, self.nearness)

    def record(self) -> dict[str, Any]:
        """Return the pair as a JSON object.

        The keys are ``sentences``; ``index_version``, ``ranking``, ``ranked_distance``, ``closer_than``, ``nearness``
        and ``parts``; ``a`` and ``b`` with ``track_id``, ``title``, ``artist``, ``seconds`` and ``words``; and the
        attributes of `mfcc_assets.similarity.explain.Explanation`.
        """
        tracks = {
            name: {
                **{key: getattr(track, key) for key in ("track_id", "title", "artist", "seconds")},
                "words": list(track.words.values()),
            }
            for name, track in (("a", self.a), ("b", self.b))
        }
        ranked = {
            "ranking": self.ranking,
            "ranked_distance": self.ranked_distance,
            **nearness_record(self.nearness),
            "parts": dict(self.parts),
        }
        said = {"sentences": self.sentences, "index_version": self.index_version}
        return {**said, **ranked, **tracks, **asdict(self.explanation)}


def explain_pair(library: Library, index: LibraryIndex, a: Soundtrack, b: Soundtrack) -> ExplainedPair:
    """Explain how near two soundtracks are to each other.

    Parameters
    ----------
    library
        The library.
    index
        An index that holds both soundtracks.
    a, b
        The soundtracks.

    Raises
    ------
    FeaturesMissing
        If one of the soundtracks is not in the index, or its stored features are damaged.
    """
    first = audio_in_index(index, a)
    return explain_query(library, index, _paired(library, index, a), search_for(library, index, first), b)


def explain_query(
    library: Library, index: LibraryIndex, query: PairedTrack, search: Search, track: Soundtrack
) -> ExplainedPair:
    """Explain how near a soundtrack is to a query, which need not be in the library.

    Parameters
    ----------
    library
        The library.
    index
        An index that holds the soundtrack.
    query
        The query.
    search
        The search of the query in this index.
    track
        The soundtrack.

    Raises
    ------
    FeaturesMissing
        If the soundtrack is not in the index, or its stored features are damaged.
    """
    other, audio_id = _paired(library, index, track), audio_in_index(index, track)
    explanation = explain(
        query.contour,
        other.contour,
        index.scales,
        random_pairs_of(library, index),
        times=(query.times, other.times),
        parameters=index.parameters.features.cepstra,
    )
    ranked_distance, parts = search.distance_and_z_scores(audio_id)
    return ExplainedPair(
        index.version,
        index.parameters.ranking,
        ranked_distance,
        parts,
        query,
        other,
        explanation,
        pair_distances_of(library, index).nearness(ranked_distance),
    )


def picture_of_pair(index: LibraryIndex, pair: ExplainedPair, form: Literal["png", "svg"] = "png") -> bytes:
    """Draw the heat maps of both tracks, the path between them, and the stretches that sound alike.

    Parameters
    ----------
    index
        The index by which `pair` was explained.
    pair
        Result of `explain_pair` or `explain_query`.
    form
        Format of the picture.
    """
    return pair_picture(
        (pair.a.contour, pair.b.contour),
        index.scales,
        pair.explanation,
        (pair.a.times, pair.b.times),
        (pair.a.display_title, pair.b.display_title),
        form,
    )


def picture_without_words(index: LibraryIndex, pair: ExplainedPair) -> bytes:
    """Draw a pair as `picture_of_pair` does, as a PNG in which only numbers and units are written.

    Parameters
    ----------
    index
        The index by which `pair` was explained.
    pair
        Result of `explain_pair` or `explain_query`.
    """
    return pair_picture_without_words(
        (pair.a.contour, pair.b.contour), index.scales, pair.explanation, (pair.a.times, pair.b.times)
    )


def random_pairs_of(library: Library, index: LibraryIndex) -> RandomPairs:
    """Return the distances of random pairs of an index.

    They are measured once for each calibration, with the same pairs every time, and stored with it.
    """

    def measure() -> dict[str, NDArray[np.float64]]:
        random_pairs = RandomPairs.of(_random_contours(index), index.scales)
        return {"contributions": random_pairs.contributions, "moments": random_pairs.moments}

    return RandomPairs(**measured_with_calibration(library, index, "random_pairs.npz", measure))


def _random_contours(index: LibraryIndex) -> Iterator[tuple[Frames, Frames]]:
    count = len(index.tracks)
    if count * (count - 1) // 2 <= RANDOM_PAIRS:
        # The only pair of a library of one track is the track and itself.
        pairs = list(combinations(range(count), 2)) or [(0, 0)]
    else:
        random = np.random.default_rng(0)
        first, apart = random.integers(count, size=RANDOM_PAIRS), random.integers(1, count, size=RANDOM_PAIRS)
        pairs = list(zip(first.tolist(), ((first + apart) % count).tolist(), strict=True))
    for rows in pairs:
        a, b = (index.contours[row] for row in rows)
        yield a, b


def _paired(library: Library, index: LibraryIndex, track: Soundtrack) -> PairedTrack:
    """Return a soundtrack of an index as one of a pair."""
    parameters, audio_id = index.parameters.features, audio_in_index(index, track)
    cepstra = cepstra_of(library, audio_id, parameters)
    seconds = track.seconds or len(cepstra) * parameters.cepstra.step_seconds
    return PairedTrack(
        track.track_id,
        track.title,
        track.artist,
        track.display_title,
        track.seconds,
        index.contour(audio_id),
        ContourTimes.of(cepstra, parameters, seconds=seconds),
        words_of(library, index, cepstra),
    )
