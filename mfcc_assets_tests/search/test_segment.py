"""Segments of an index, and their names."""

from dataclasses import replace

import pytest

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import TrackId
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.segment import Segment
from mfcc_assets_tests.search.test_builder import PARAMETERS, builder, tracks
from mfcc_assets_tests.search.test_index import CountedParts, DamagedParts


@pytest.fixture(scope="module")
def segment() -> Segment:
    return builder().build(tracks(range(3))).segments[0]


def test_the_same_rows_have_the_same_name(segment: Segment):
    again = builder().build(tracks(reversed(range(3)))).segments[0]
    assert again is not segment
    assert again.name == segment.name


def test_other_rows_have_another_name(segment: Segment):
    renamed = TrackOfAudio.of({audio_id: TrackId(f"another {track}") for audio_id, track in segment.tracks.items()})
    others = [
        replace(segment, made_with="another calibration"),
        replace(segment, tracks=renamed),
        replace(segment, tracks=tracks(range(2))),
        replace(segment, tracks=tracks(range(1, 4))),
    ]
    assert len({segment.name, *(other.name for other in others)}) == len(others) + 1


def test_the_name_depends_on_the_ranking_and_not_on_the_number_of_ranked_tracks(segment: Segment):
    longer = builder(replace(PARAMETERS, ranked_count=9)).build(tracks(range(3))).segments[0]
    other = builder(replace(PARAMETERS, ranking="dtw")).build(tracks(range(3))).segments[0]
    assert longer.name == segment.name != other.name


def test_the_name_needs_no_part(segment: Segment):
    assert replace(segment, parts=DamagedParts()).name == segment.name


def test_loading_a_segment_reads_each_part_once(segment: Segment):
    parts = CountedParts(segment.parts)
    lazy = replace(segment, parts=parts)
    assert len(lazy) == 3
    assert parts.reads == {}
    lazy.load_all()
    lazy.load_all()
    assert set(parts.reads.values()) == {1}
    assert len(parts.reads) == 6


def test_loading_a_damaged_segment_is_an_error(segment: Segment):
    with pytest.raises(CorruptIndex, match="the stored index is corrupt"):
        replace(segment, parts=DamagedParts()).load_all()
