"""Candidates that are found."""

import numpy as np
import pytest

from mfcc_assets.search import candidates
from mfcc_assets.search.candidates import CandidateSearch, candidates_in_windows
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets_tests.search.conftest import TRACKS, WANTED, others


def test_tracks_that_are_not_estimated_are_no_candidates(index: LibraryIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    search, every = CandidateSearch.of_row(index, 5), others(5)
    expected = search.pruned(every, WANTED)
    monkeypatch.setattr(candidates, "_FIRST_ESTIMATED", TRACKS)
    found = search.pruned(every, WANTED)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.limit == expected.limit


def test_with_few_tracks_any_other_may_be_a_candidate(index: LibraryIndex) -> None:
    found = CandidateSearch.of_row(index, 0).pruned(np.array([1, 2]), WANTED)
    assert sorted(found.rows.tolist()) == [1, 2]
    assert found.limit == np.inf
    assert len(CandidateSearch.of_row(index, 0).pruned(np.empty(0, np.int64), WANTED).rows) == 0


def test_candidates_of_several_queries_are_those_of_one_after_the_other_to_the_last_bit(index: LibraryIndex) -> None:
    queries = np.array([39, 0, 17, 5])
    windows = [others(39), others(0)[::2], np.array([3]), np.empty(0, np.int64)]
    found = candidates_in_windows(index, queries, windows, WANTED)
    for query, rows, candidates_of_query in zip(queries.tolist(), windows, found, strict=True):
        expected = CandidateSearch.of_row(index, query).pruned(rows, WANTED)
        assert candidates_of_query.rows.tolist() == expected.rows.tolist()
        assert candidates_of_query.estimates.tolist() == expected.estimates.tolist()
        assert candidates_of_query.limit == expected.limit
    assert candidates_in_windows(index, queries[:0], [], WANTED) == []
