"""The parts of an index in several segments, and searches in it: all are those of one segment."""

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.shortlist import shortlist
from mfcc_assets.search.compaction import compacted
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.query import Search, search_for_new_track
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets_tests.search.test_builder import (
    FEATURES,
    PARAMETERS,
    analysis_of,
    assert_same_index,
    builder,
    features_of,
    tracks,
    without_tracks,
)

FIRST = range(8)
"""Numbers of the tracks for which the index is calibrated. It keeps the calibration for up to fifteen tracks."""

QUERY = 100
RANKINGS = ("fused", "dtw", "gaussian")


@dataclass(frozen=True)
class Life:
    """What happened to a library: which tracks it had at each run, and after which runs the index was compacted."""

    runs: list[set[int]] = field(default_factory=list)
    compacted: list[bool] = field(default_factory=list)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    life = Life()
    for _ in range(draw(st.integers(1, 6))):
        life.runs.append(draw(st.sets(st.integers(0, 19), min_size=1, max_size=15)))
        life.compacted.append(draw(st.booleans()))
    return life


@cache
def calibrated(ranking: str) -> LibraryIndex:
    return builder(replace(PARAMETERS, ranking=ranking)).build(tracks(FIRST))


def lived(life: Life, ranking: str) -> LibraryIndex:
    """Return the index at the end of the life of a library."""
    index = calibrated(ranking)
    for numbers, is_compacted in zip(life.runs, life.compacted, strict=True):
        index = builder(index.parameters).build(tracks(numbers), index)
        index = compacted(index) if is_compacted else index
    return index


def of_one_segment(index: LibraryIndex) -> LibraryIndex:
    """Build the same index without former segments."""
    return builder(index.parameters).build(index.tracks, without_tracks(index))


def ranked(search: Search) -> tuple[list[AudioId], RankedList, RankedList]:
    """Return the candidates by embedding, those that are kept, and the nearest of these with their distances."""
    candidates = list(search.nearest_by_embedding(5))
    kept = search.prune_by_coarse_contour(candidates, 5)
    return candidates, kept, search.nearest([audio_id for audio_id, _ in kept], 5)


@given(lives(), st.sampled_from(RANKINGS))
@settings(max_examples=25)
def test_an_index_is_the_same_however_its_tracks_came_and_went(life: Life, ranking: str) -> None:
    index = lived(life, ranking)
    together = of_one_segment(index)

    assert_same_index(index, together)
    searches = [search_for_new_track(each, set(), features_of(QUERY)) for each in (index, together)]
    assert ranked(searches[0]) == ranked(searches[1])


@given(lives(), st.integers(1, 5))
@settings(max_examples=15)
def test_the_shortlist_is_the_same_however_its_tracks_came_and_went(life: Life, count: int) -> None:
    index = lived(life, "fused")
    together = of_one_segment(index)

    last = min(life.runs[-1])
    for number in (QUERY, last):
        cepstra = analysis_of(number).cepstra
        found = [
            shortlist(cepstra, each.fingerprints.segments, FEATURES.cepstra, count, among=each.tracks)
            for each in (index, together)
        ]
        assert found[0] == found[1]
        assert set(found[0]) <= set(index.tracks)
        assert len(found[0]) == min(count, len(index.tracks))
    assert found[0][0] == f"{last:032x}"


@given(lives())
@settings(max_examples=15)
def test_a_sample_of_frames_is_the_same_however_its_tracks_came_and_went(life: Life) -> None:
    index = lived(life, "fused")
    together = of_one_segment(index)

    np.testing.assert_array_equal(index.coarse_contours.sample(30), together.coarse_contours.sample(30))
    assert len(index.coarse_contours.sample(30)) == 30


@pytest.fixture(scope="module")
def grown() -> LibraryIndex:
    """Make an index of three segments, of which two have rows of tracks that have left."""
    life = Life([set(range(11)), {*range(1, 9), 10, 11, 12}], [False, False])
    index = lived(life, "fused")
    assert [len(segment) for segment in index.segments] == [8, 3, 2]
    return index


def test_each_part_has_the_length_of_the_index(grown: LibraryIndex) -> None:
    parts = (
        grown.feature_table,
        grown.coarse_contours,
        grown.contours,
        grown.fingerprints,
        grown.statistics,
        grown.vector_index,
    )
    assert {len(part) for part in parts} == {11}


def test_rows_may_be_wanted_in_any_order_and_more_than_once(grown: LibraryIndex) -> None:
    rows = np.array([10, 0, 8, 0, 5])
    for part in ("feature_table", "statistics"):
        whole = getattr(grown, part).rows(np.arange(11))
        np.testing.assert_array_equal(getattr(grown, part).rows(rows).means, whole.means[rows])
    whole, found = grown.coarse_contours.rows(np.arange(11)), grown.coarse_contours.rows(rows)
    assert [track.tolist() for track in found] == [whole[row].tolist() for row in rows]


def test_single_columns_are_those_of_the_rows(grown: LibraryIndex) -> None:
    rows = np.array([9, 2, 7])
    found = grown.feature_table.rows(rows)
    np.testing.assert_array_equal(grown.feature_table.treble(rows), found.treble)
    np.testing.assert_array_equal(grown.feature_table.roughness(rows), found.roughness)


def test_no_rows_are_a_part_without_rows(grown: LibraryIndex) -> None:
    none = np.empty(0, np.int64)
    assert len(grown.feature_table.rows(none)) == len(grown.coarse_contours.rows(none)) == 0
    assert grown.statistics.rows(none).means.shape == (0, grown.statistics.segments[0].means.shape[1])


def test_lengths_of_fingerprints_are_those_of_the_rows(grown: LibraryIndex) -> None:
    expected = [len(grown.fingerprints[row]) for row in range(11)]
    assert grown.fingerprints.lengths.tolist() == expected
    assert len(set(expected)) > 1


def test_lengths_of_contours_are_those_of_the_rows(grown: LibraryIndex) -> None:
    rows = np.arange(len(grown.tracks))[::-2]

    for contours in (grown.contours, grown.coarse_contours):
        assert contours.lengths(rows).tolist() == contours.rows(rows).lengths.tolist()
