"""Pairs of tracks of an index. The slow twin compares one query with one candidate."""

import numpy as np
import pytest

from mfcc_assets.search import pairs as pairs_module
from mfcc_assets.search.candidates import CandidateSearch
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.pairs import Pairs

QUERIES, CANDIDATES = np.array([3, 3, 0, 17, 39]), np.array([4, 17, 39, 3, 0])


def test_pairs_are_compared_like_single_queries_to_the_last_bit(
    index: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs_module, "_ROWS_AT_ONCE", 2)
    pairs, distances = Pairs(index, QUERIES, CANDIDATES), np.linspace(0, 2, len(QUERIES))
    corrected = pairs.correction(distances)
    for place, (query, candidate) in enumerate(zip(QUERIES.tolist(), CANDIDATES, strict=True)):
        search, rows = CandidateSearch.of_row(index, query), np.array([candidate])
        assert search.correction(rows)(distances[place : place + 1])[0] == corrected[place]
        assert search.least_corrected(rows)[0] == pairs.least_corrected[place]


def test_some_pairs_are_those_in_the_given_order(index: LibraryIndex) -> None:
    pairs = Pairs(index, QUERIES, CANDIDATES)
    some = pairs[np.array([4, 1])]
    assert (some.queries.tolist(), some.candidates.tolist()) == ([39, 3], [0, 17])
    np.testing.assert_array_equal(some.least_corrected, pairs.least_corrected[[4, 1]])


def test_no_pairs_have_no_distances(index: LibraryIndex) -> None:
    none = Pairs(index, np.empty(0, np.int64), np.empty(0, np.int64))
    assert none.correction(np.empty(0)).shape == none.least_corrected.shape == (0,)
