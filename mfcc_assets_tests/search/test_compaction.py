"""Compaction of an index: the same rows in fewer segments."""

from collections.abc import Sequence

import pytest

from mfcc_assets.search import compaction
from mfcc_assets.search.compaction import MOST_SEGMENTS, compacted
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets_tests.search.test_builder import assert_same_index, builder, tracks

LARGE = range(100, 140)


def grown(index: LibraryIndex, *runs: Sequence[int]) -> LibraryIndex:
    for numbers in runs:
        index = builder().build(tracks(numbers), index)
    return index


@pytest.fixture(scope="module")
def first() -> LibraryIndex:
    return builder().build(tracks(LARGE))


def lengths(index: LibraryIndex) -> list[int]:
    return [len(segment) for segment in index.segments]


def test_an_index_of_one_segment_stays_as_it_is(first: LibraryIndex) -> None:
    assert compacted(first) is first


def test_an_index_without_tracks_stays_as_it_is() -> None:
    empty = builder().build(tracks(range(0)))
    assert compacted(empty) is empty


def test_a_few_rows_outside_of_the_largest_segment_stay_in_their_segments(first: LibraryIndex) -> None:
    index = grown(first, [*LARGE, 1], [*LARGE, 1, 2, 3, 4])
    assert lengths(index) == [40, 1, 3]
    assert compacted(index) is index


def test_if_a_tenth_of_the_rows_is_outside_of_the_largest_segment_all_become_one(first: LibraryIndex) -> None:
    index = grown(first, [*LARGE, 1], [*LARGE, *range(1, 6)])
    assert lengths(index) == [40, 1, 4]
    together = compacted(index)
    assert lengths(together) == [45]
    assert_same_index(together, index)


def test_rows_of_tracks_that_left_the_library_count_as_outside(first: LibraryIndex) -> None:
    assert lengths(compacted(grown(first, LARGE[3:]))) == [40]
    assert lengths(compacted(grown(first, LARGE[4:]))) == [36]


def test_too_many_segments_are_joined_without_the_largest(first: LibraryIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "MOST_SEGMENTS", 3)
    index = grown(first, [*LARGE, 1], [*LARGE, 1, 2], [*LARGE[:-1], 1, 2, 3])
    together = compacted(index)
    assert lengths(index) == [40, 1, 1, 1]
    assert lengths(together) == [40, 3]
    assert together.segments[0] is first.segments[0]
    assert_same_index(together, index)


def test_an_index_may_have_eight_segments() -> None:
    assert MOST_SEGMENTS == 8


def test_the_segments_do_not_depend_on_how_many_tracks_are_copied_at_a_time(
    first: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = grown(first, [*LARGE[6:], 1, 2, 3])
    expected = compacted(index)
    monkeypatch.setattr(compaction, "_TRACKS_AT_ONCE", 5)
    together = compacted(index)
    assert together.segments[0].name == expected.segments[0].name
    assert_same_index(together, index)


def test_a_compacted_index_grows_on(first: LibraryIndex) -> None:
    together = compacted(grown(first, [*LARGE, *range(1, 6)]))
    index = grown(together, [*LARGE, *range(1, 7)])
    assert lengths(index) == [45, 1]
    assert index.segments[0] is together.segments[0]
