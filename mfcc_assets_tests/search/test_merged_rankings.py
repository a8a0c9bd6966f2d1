"""Rankings that are merged with further candidates. The slow twin ranks all of them at once."""

import numpy as np
import pytest

from mfcc_assets.for_each import in_turn
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.merged_rankings import KnownRanking, merged_rankings
from mfcc_assets.search.query import Search
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets_tests.search.conftest import WANTED, others


def ranked(index: LibraryIndex, query: int, rows: np.ndarray, count: int) -> KnownRanking:
    """Rank some tracks by comparing the query with every one of them."""
    own = np.array([query])
    track = Tracks(index.feature_table.rows(own), index.contours.rows(own))
    search = Search(index, track, index.statistics.rows(own), in_turn)
    ids = index.tracks.audio_ids
    found = search.distances_within([ids[row] for row in rows.tolist()], np.inf)
    nearest = sorted(found.items(), key=lambda one: (one[1], one[0]))[:count]
    distances = np.array([distance for _, distance in nearest])
    return KnownRanking(query, index.rows_of([audio_id for audio_id, _ in nearest]), distances)


@pytest.mark.parametrize("first", [slice(0, 0), slice(0, 2), slice(None, None, 2), slice(None, 30)])
def test_merged_rankings_are_those_of_all_tracks_to_the_last_bit(index: LibraryIndex, first: slice) -> None:
    queries = (0, 17, 39)
    known = [ranked(index, query, others(query)[first], WANTED) for query in queries]
    further = [np.setdiff1d(others(query), others(query)[first]) for query in queries]

    merged = merged_rankings(index, known, further, WANTED)

    for query, found in zip(queries, merged, strict=True):
        expected = ranked(index, query, others(query), WANTED)
        assert (found.query, found.rows.tolist()) == (query, expected.rows.tolist())
        assert found.distances.tolist() == expected.distances.tolist()


def test_a_ranking_without_further_candidates_stays(index: LibraryIndex) -> None:
    known = ranked(index, 5, others(5), WANTED)
    (found,) = merged_rankings(index, [known], [np.empty(0, np.int64)], WANTED)
    assert (found.rows.tolist(), found.distances.tolist()) == (known.rows.tolist(), known.distances.tolist())
    assert merged_rankings(index, [], [], WANTED) == []
