"""Why a track is near to a file that is neither in the library nor uploaded."""

from pathlib import Path

import pytest

from mfcc_assets.errors import UnreadableAudio
from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import explain_pair
from mfcc_assets.pipeline.explain_file import explain_file
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.recommend_file import recommend_file


@pytest.fixture
def opened(ten_tracks: Library) -> OpenedIndex:
    return OpenedIndex(ten_tracks, ten_tracks.indexes.published())


def test_a_file_is_explained_with_the_distances_of_its_list(
    ten_tracks: Library, opened: OpenedIndex, query: Path
) -> None:
    answer = recommend_file(ten_tracks, query, count=3)
    for each in answer.recommendations:
        pair = explain_file(ten_tracks, opened, query, answer.soundtracks[each.track_id])
        assert pair.ranked_distance == pytest.approx(each.distance, rel=1e-3)
        assert (pair.a.track_id, pair.a.display_title) == (None, query.name)
        assert any(query.name in sentence for sentence in pair.sentences)


def test_a_file_of_the_library_is_explained_as_its_track(
    ten_tracks: Library, opened: OpenedIndex, ten_songs: list[Path]
) -> None:
    soundtracks = {track.blob_name: track for track in ten_tracks.catalogue.soundtracks()}
    own, other = soundtracks[ten_songs[3].name], soundtracks[ten_songs[4].name]

    pair = explain_file(ten_tracks, opened, ten_songs[3], other)

    itself = explain_pair(ten_tracks, opened.index, own, other)
    assert {**pair.record(), "a": None} == {**itself.record(), "a": None}
    assert pair.a.title == "Song 3"


def test_a_file_without_music_is_not_explained(ten_tracks: Library, opened: OpenedIndex, tmp_path: Path) -> None:
    (tmp_path / "text.mp3").write_text("no music " * 100)
    with pytest.raises(UnreadableAudio):
        explain_file(ten_tracks, opened, tmp_path / "text.mp3", ten_tracks.catalogue.soundtracks()[0])
