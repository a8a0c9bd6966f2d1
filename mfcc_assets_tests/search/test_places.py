"""Where the rows of an index are in its segments."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import AudioId
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.places import Places

AUDIO_IDS = [AudioId(f"{number:03}") for number in range(12)]


def ids(numbers: Sequence[int]) -> IdArray[AudioId]:
    return IdArray.of(AUDIO_IDS[number] for number in sorted(numbers))


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[int], list[list[int]]]:
    """Draw the tracks of an index, and those of each segment. Some tracks of the segments have left the index."""
    segment_of_track = draw(st.lists(st.integers(0, 3), max_size=len(AUDIO_IDS)))
    segments = [[track for track, of in enumerate(segment_of_track) if of == segment] for segment in range(4)]
    left = draw(st.sets(st.integers(0, len(AUDIO_IDS))))
    return [track for track in range(len(segment_of_track)) if track not in left], segments


def places_of(tracks: Sequence[int], segments: Sequence[Sequence[int]]) -> Places:
    return Places.of(ids(tracks), [ids(segment) for segment in segments])


@given(splits())
def test_each_row_of_the_index_is_the_row_of_a_segment_with_its_audio_id(drawn: tuple[list[int], list[list[int]]]):
    tracks, segments = drawn
    every = [track for segment in segments for track in segment]
    places = places_of(tracks, segments)
    assert [every[place] for place in places.of_rows.tolist()] == tracks
    assert len(places) == len(tracks)


@given(splits())
def test_each_row_of_a_segment_is_the_row_of_the_index_with_its_audio_id(drawn: tuple[list[int], list[list[int]]]):
    tracks, segments = drawn
    places = places_of(tracks, segments)
    for number, segment in enumerate(segments):
        expected = [tracks.index(track) if track in tracks else -1 for track in segment]
        assert places.rows_of_segment(number).tolist() == expected
        assert places.in_segment(number, None).tolist() == [track in tracks for track in segment]


@given(splits(), st.data())
def test_some_rows_of_the_index_are_the_same_rows_in_the_segments(
    drawn: tuple[list[int], list[list[int]]], data: st.DataObject
):
    tracks, segments = drawn
    among = np.array(data.draw(st.lists(st.booleans(), min_size=len(tracks), max_size=len(tracks))), np.bool_)
    wanted = {track for track, is_wanted in zip(tracks, among.tolist(), strict=True) if is_wanted}
    places = places_of(tracks, segments)
    for number, segment in enumerate(segments):
        assert places.in_segment(number, among).tolist() == [track in wanted for track in segment]


@given(splits(), st.data())
def test_rows_are_gathered_in_the_order_in_which_they_are_wanted(
    drawn: tuple[list[int], list[list[int]]], data: st.DataObject
):
    tracks, segments = drawn
    rows = data.draw(st.lists(st.integers(0, len(tracks) - 1), max_size=20)) if tracks else []
    arrays = [np.array(segment, np.int64).reshape(-1, 1) for segment in segments]
    gathered = places_of(tracks, segments).gather(arrays, np.array(rows, np.int64))
    assert gathered.shape == (len(rows), 1)
    assert gathered[:, 0].tolist() == [tracks[row] for row in rows]


@given(splits(), st.data())
def test_rows_that_are_split_by_segment_are_each_in_one_segment(
    drawn: tuple[list[int], list[list[int]]], data: st.DataObject
):
    tracks, segments = drawn
    rows = data.draw(st.lists(st.integers(0, len(tracks) - 1), max_size=20)) if tracks else []
    found = {
        position: segments[segment][row]
        for segment, positions, within in places_of(tracks, segments).split(np.array(rows, np.int64))
        for position, row in zip(positions.tolist(), within.tolist(), strict=True)
    }
    assert [found[position] for position in range(len(rows))] == [tracks[row] for row in rows]
    assert len(found) == len(rows)


def test_a_segment_that_is_the_whole_index_has_all_of_its_rows():
    among = np.array([True, False, True])
    assert places_of(range(3), [range(3)]).in_segment(0, among).tolist() == [True, False, True]


def test_a_track_that_is_in_no_segment_is_refused():
    with pytest.raises(ValueError, match="in none of its segments"):
        places_of([1, 2, 3], [[1], [3, 4]])
