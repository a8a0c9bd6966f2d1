"""Candidates that are found, and that are merged with those of new tracks."""

import numpy as np
import pytest

from mfcc_assets.library import Library
from mfcc_assets.search import candidates
from mfcc_assets.search.candidates import CandidateSearch
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import RANKINGS
from mfcc_assets_tests.ranked_library import add_tracks, index_and_rank

TRACKS = 40
WANTED = 3


@pytest.fixture(scope="module", params=sorted(RANKINGS))
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("home")
    with Library(Settings(home=home, ranking=request.param)) as library:
        add_tracks(library, *range(TRACKS))
        yield index_and_rank(library)[0].load_all()


def others(query: int) -> np.ndarray:
    return np.delete(np.arange(TRACKS), query)


@pytest.mark.parametrize("query", [0, 17, 39])
def test_merged_candidates_are_those_of_one_search(index: LibraryIndex, query: int) -> None:
    search, every = CandidateSearch.of_row(index, query), others(query)
    at_once = search.pruned(every, WANTED)
    first = search.pruned(every[::2], WANTED)
    merged = search.pruned(every[1::2], WANTED, first.rows, first.estimates)
    assert merged.rows.tolist() == at_once.rows.tolist()
    assert merged.estimates.tolist() == at_once.estimates.tolist()
    assert merged.limit == at_once.limit <= first.limit


@pytest.mark.parametrize("track", [3, 22])
def test_every_query_that_keeps_a_track_is_found(index: LibraryIndex, track: int) -> None:
    queries, limits, keeping = others(track), [], []
    for query in queries.tolist():
        without = np.setdiff1d(others(query), [track])
        search = CandidateSearch.of_row(index, query)
        limits.append(search.pruned(without, WANTED).limit)
        if track in search.pruned(others(query), WANTED).rows:
            keeping.append(query)
    found = CandidateSearch.of_row(index, track).queries_that_may_keep(queries, np.array(limits))
    assert found.tolist() == keeping
    assert len(keeping) < len(queries)


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
