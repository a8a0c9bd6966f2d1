"""New tracks, and candidates that are merged with them."""

import numpy as np
import pytest

from mfcc_assets.search import entrants
from mfcc_assets.search.candidates import Candidates, CandidateSearch
from mfcc_assets.search.entrants import EstimatedLists, candidates_among, queries_that_may_keep
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets_tests.search.conftest import WANTED, others


def estimated(*lists: tuple[int, np.ndarray, np.ndarray]) -> EstimatedLists:
    """Join lists of rows and estimates, each with its query."""
    return EstimatedLists(
        np.array([query for query, _, _ in lists], np.int64),
        np.cumsum([0, *(len(rows) for _, rows, _ in lists)]),
        np.concatenate([np.empty(0, np.int64), *(rows for _, rows, _ in lists)]),
        np.concatenate([np.empty(0), *(estimates for _, _, estimates in lists)]),
    )


def as_lists(candidates: Candidates) -> tuple[list[int], list[float], float]:
    return candidates.rows.tolist(), candidates.estimates.tolist(), candidates.limit


@pytest.mark.parametrize("pairs_at_once", [1, 30, 1000])
def test_merged_candidates_are_those_of_one_search(
    index: LibraryIndex, pairs_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrants, "_PAIRS_AT_ONCE", pairs_at_once)
    lists, expected = [], []
    for query in (0, 17, 39):
        search, every = CandidateSearch.of_row(index, query), others(query)
        first, new = search.pruned(every[::2], WANTED), every[1::2]
        lists.append((query, np.append(first.rows, new), np.append(first.estimates, search.estimates(new))))
        expected.append(search.pruned(every, WANTED))
        assert expected[-1].limit <= first.limit

    merged = candidates_among(index, estimated(*lists), WANTED)

    assert [as_lists(each) for each in merged] == [as_lists(each) for each in expected]


def test_a_list_with_few_tracks_keeps_all_and_has_no_limit(index: LibraryIndex) -> None:
    few, none = np.array([1, 2]), np.empty(0, np.int64)
    found, empty = candidates_among(index, estimated((0, few, np.ones(2)), (5, none, np.empty(0))), WANTED)
    assert sorted(found.rows.tolist()) == [1, 2]
    assert (found.limit, len(empty.rows), empty.limit) == (np.inf, 0, np.inf)
    assert candidates_among(index, estimated(), WANTED) == []


@pytest.mark.parametrize("track", [3, 22])
def test_every_query_that_keeps_a_track_is_found_with_the_estimate(index: LibraryIndex, track: int) -> None:
    queries, limits, keeping = others(track), [], []
    for query in queries.tolist():
        without = np.setdiff1d(others(query), [track])
        search = CandidateSearch.of_row(index, query)
        limits.append(search.pruned(without, WANTED).limit)
        if track in search.pruned(others(query), WANTED).rows:
            keeping.append(query)

    found, estimates = queries_that_may_keep(index, track, queries, np.array(limits))

    assert found.tolist() == keeping
    assert len(keeping) < len(queries)
    expected = [CandidateSearch.of_row(index, query).estimates(np.array([track]))[0] for query in keeping]
    assert estimates.tolist() == expected
