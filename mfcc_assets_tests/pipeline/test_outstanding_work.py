"""Outstanding work of a library."""

from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import soundtrack_files
from mfcc_assets.pipeline.outstanding_work import changed_soundtracks, outstanding_work
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets_tests.former_cepstra import put_former_cepstra
from mfcc_assets_tests.pipeline.encodings import encoded_again
from mfcc_assets_tests.ranked_library import add_track, add_tracks, cepstra, publish


def test_new_and_changed_files_are_changed_soundtracks(ten_tracks: Library) -> None:
    assert changed_soundtracks(ten_tracks, soundtrack_files(ten_tracks)) == {}
    ten_tracks.blobs.write("soundtracks", "song-3.flac", b"changed")
    ten_tracks.blobs.write("soundtracks", "new.flac", b"new")
    assert set(changed_soundtracks(ten_tracks, soundtrack_files(ten_tracks))) == {"song-3.flac", "new.flac"}


def test_new_and_changed_files_are_outstanding_work(ten_tracks: Library) -> None:
    assert outstanding_work(ten_tracks) == []
    ten_tracks.blobs.write("soundtracks", "new.flac", b"new")
    assert outstanding_work(ten_tracks) == ["new new.flac"]


def test_recommendations_that_a_killed_run_did_not_write_are_outstanding_work(ten_tracks: Library) -> None:
    assert outstanding_work(ten_tracks) == []
    (first, *_) = ten_tracks.catalogue.soundtracks()
    version = ten_tracks.indexes.published().version
    ten_tracks.recommendations.replace_recommendations(
        first.track_id, [], method="dtw", index_version=version, run_id="killed"
    )

    assert outstanding_work(ten_tracks) == [f"1 soundtrack lacks recommendations of index {version}"]


def test_cepstra_of_an_older_version_are_outstanding_work(ten_tracks: Library) -> None:
    put_former_cepstra(ten_tracks)
    assert outstanding_work(ten_tracks) == ["cepstra are stored as an older version of this program wrote them"]


def test_another_number_of_recommendations_is_outstanding_work(ten_tracks: Library) -> None:
    with Library(Settings(home=ten_tracks.settings.home, recommendations=4)) as changed:
        assert outstanding_work(changed)[0].startswith("10 soundtracks lack recommendations")


def test_lists_that_are_short_because_of_second_encodings_are_not_outstanding_work(
    library: Library,
) -> None:
    library.blobs.write("soundtracks", "unseen.flac", b"")
    add_tracks(library, 0, 1, 2)
    add_track(library, 50, encoded_again(cepstra(0)))
    publish(library)
    index = library.indexes.published()
    list(recommend_soundtracks(library, index, library.shards, run_id="run"))
    for number in (0, 50, 1, 2):
        assert len(library.recommendations.recommended(track_id(f"{number}.flac"))) == 2

    assert not [line for line in outstanding_work(library) if "recommendations" in line]
    library.recommendations.replace_recommendations(
        track_id("1.flac"), [], method="m", index_version=index.version, run_id="run"
    )
    assert [line for line in outstanding_work(library) if "recommendations" in line]
