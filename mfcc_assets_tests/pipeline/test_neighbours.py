"""As many neighbours as wanted."""

import pytest

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.neighbours import neighbours
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, compared_with_all, publish


@pytest.fixture
def opened(ten_tracks: Library) -> OpenedIndex:
    return OpenedIndex(ten_tracks, ten_tracks.indexes.published())


def test_the_first_neighbours_are_the_stored_list(ten_tracks: Library, opened: OpenedIndex) -> None:
    for track in ten_tracks.catalogue.soundtracks():
        stored = [(row.track_id, row.distance) for row in ten_tracks.recommendations.recommended(track.track_id)]
        assert len(stored) == 5
        for count in (1, 5, 8, 100):
            found = neighbours(ten_tracks, opened, track, count=count)
            assert [(each.track.track_id, each.distance) for each in found[:5]] == stored[:count]
            assert len(found) == min(count, 9)
            assert len({each.track.track_id for each in found} | {track.track_id}) == len(found) + 1
            assert all(each.nearness is not None for each in found)


def test_the_others_follow_by_their_distance(library: Library) -> None:
    add_tracks(library, *range(14))
    index, _ = publish(library)
    found = neighbours(library, OpenedIndex(library, index), find_track(library, "0.flac"), count=13)
    features = library.features.read_track_features(audio_id(0), index.parameters.features)
    truth = compared_with_all(library, index, audio_id(0), features)
    assert [each.track.audio_id for each in found] == [audio for audio, _ in truth]
    assert [each.distance for each in found] == pytest.approx([distance for _, distance in truth], rel=1e-3)


def test_a_track_that_left_the_library_is_no_neighbour(ten_tracks: Library, opened: OpenedIndex) -> None:
    track = ten_tracks.catalogue.soundtracks()[0]
    first, *others = neighbours(ten_tracks, opened, track, count=9)
    gone = first.track.track_id
    ten_tracks.catalogue.record_observed([], [gone], shard_digits=1, run_id="run")
    later = neighbours(ten_tracks, opened, track, count=9)
    assert [each.track.track_id for each in later] == [each.track.track_id for each in others]


def test_a_track_that_is_not_in_the_index_has_no_neighbours(ten_tracks: Library, opened: OpenedIndex) -> None:
    add_tracks(ten_tracks, 77)
    added = ten_tracks.catalogue.tracks_with_ids([track_id("77.flac")])[track_id("77.flac")]
    with pytest.raises(FeaturesMissing):
        neighbours(ten_tracks, opened, added, count=5)
