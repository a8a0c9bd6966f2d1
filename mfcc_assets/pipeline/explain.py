"""Why a track is recommended for another: the data for pages, and the picture."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import contour_of, search_for
from mfcc_assets.pipeline.find_track import audio_in_index
from mfcc_assets.plots.pair import pair_picture
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.dtw.distance import Frames
from mfcc_assets.similarity.explain import Control, Explanation, explain
from mfcc_assets.storage.sql.records import Soundtrack

_logger = logging.getLogger(__name__)

RANDOM_PAIRS = 400
"""RankedLists of a library that say what is usual."""


@dataclass(frozen=True)
class ExplainedPair:
    """Why two soundtracks are near to each other, by an index.

    Attributes
    ----------
    ranking
        Name of the index's ranking.
    ranked_distance
        By that ranking: what recommendations show.
    parts
        By part of the ranking how unusual the distance is, in deviations from what is usual for both tracks: negative
        where they are near.
    explanation
        Of the part that dynamic time warping compares.
    """

    index_version: str
    ranking: str
    ranked_distance: float
    parts: Mapping[str, float]
    a: Soundtrack
    b: Soundtrack
    explanation: Explanation

    def record(self) -> dict[str, Any]:
        """The pair as JSON for pages.

        Keys are ``index_version``, ``ranking``, ``ranked_distance`` and ``parts``; ``a`` and ``b`` with ``track_id``,
        ``title``, ``artist`` and ``seconds``; and those of
        `mfcc_assets.similarity.explain.Explanation`, in which each object has the attributes of its class.
        """
        tracks = {
            name: {key: getattr(track, key) for key in ("track_id", "title", "artist", "seconds")}
            for name, track in (("a", self.a), ("b", self.b))
        }
        ranked = {"ranking": self.ranking, "ranked_distance": self.ranked_distance, "parts": dict(self.parts)}
        return {"index_version": self.index_version, **ranked, **tracks, **asdict(self.explanation)}


def explain_pair(library: Library, index: LibraryIndex, a: Soundtrack, b: Soundtrack) -> ExplainedPair:
    """Explain how near two soundtracks are.

    What is usual in the library is measured once for an index.

    Raises
    ------
    FeaturesMissing
        One of the two is not in the index, or what is stored of it is damaged.
    """
    contours = _contour(library, index, a), _contour(library, index, b)
    explanation = explain(
        *contours,
        index.scales,
        control_of(library, index),
        seconds=(_seconds(a, contours[0], index), _seconds(b, contours[1], index)),
        parameters=index.parameters.features.cepstra,
    )
    first, second = audio_in_index(index, a), audio_in_index(index, b)
    ranked_distance, parts = search_for(library, index, first).unusual(second, contours[1])
    return ExplainedPair(index.version, index.parameters.ranking, ranked_distance, parts, a, b, explanation)


def picture_of_pair(
    library: Library, index: LibraryIndex, pair: ExplainedPair, form: Literal["png", "svg"] = "png"
) -> bytes:
    """The heat maps of both soundtracks with the path between them and where they sound alike; errors as above."""
    contours = _contour(library, index, pair.a), _contour(library, index, pair.b)
    return pair_picture(
        contours,
        index.scales,
        pair.explanation,
        (_seconds(pair.a, contours[0], index), _seconds(pair.b, contours[1], index)),
        (pair.a.display_title, pair.b.display_title),
        form,
    )


def control_of(library: Library, index: LibraryIndex) -> Control:
    """What is usual between the tracks of an index: measured once, of pairs that are the same each time."""

    def measure() -> dict[str, NDArray[np.float64]]:
        control = Control.of(_random_pairs(library, index), index.scales)
        return {"contributions": control.contributions, "moments": control.moments}

    return Control(**library.indexes.measured_once(index.version, "random_pairs.npz", measure))


def _random_pairs(library: Library, index: LibraryIndex) -> Iterator[tuple[Frames, Frames]]:
    count = len(index.tracks)
    if count * (count - 1) // 2 <= RANDOM_PAIRS:
        # A library of one track has no other pair than this.
        pairs = list(combinations(range(count), 2)) or [(0, 0)]
    else:
        chance = np.random.default_rng(0)
        first, apart = chance.integers(count, size=RANDOM_PAIRS), chance.integers(1, count, size=RANDOM_PAIRS)
        pairs = list(zip(first.tolist(), ((first + apart) % count).tolist(), strict=True))
    for rows in pairs:
        try:
            a, b = (contour_of(library, index, index.tracks.audio_ids[row]) for row in rows)
        except FeaturesMissing as error:
            # One damaged file would otherwise leave every pair unexplained.
            _logger.warning("Not among the random pairs: %s", error)
            continue
        yield a, b


def _contour(library: Library, index: LibraryIndex, track: Soundtrack) -> Frames:
    return contour_of(library, index, audio_in_index(index, track))


def _seconds(track: Soundtrack, contour: Frames, index: LibraryIndex) -> float:
    return track.seconds or len(contour) / index.parameters.features.contour_rate
