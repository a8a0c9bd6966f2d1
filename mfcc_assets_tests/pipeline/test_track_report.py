"""Everything that the library knows of a track."""

from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets.pipeline.track_report import report_of_track
from mfcc_assets_tests.damage import damage, flip


def test_a_track_of_the_index_is_reported_with_all_that_belongs_to_it(ten_tracks: Library) -> None:
    report = report_of_track(ten_tracks, find_track(ten_tracks, "Song 3"))

    assert report.file == str(ten_tracks.settings.blobs / "soundtracks" / "song-3.flac")
    assert (report.is_there, report.has_cepstra, report.has_track_features) == (True, True, True)
    assert report.index_version == ten_tracks.indexes.published_version()
    assert report.represented_by == report.track.track_id
    assert len(report.recommendations) == 5
    assert Path(report.artwork).is_file()


def test_a_copy_names_the_track_that_stands_for_it(ten_tracks: Library) -> None:
    ten_tracks.blobs.copy("soundtracks", "song-3.flac", "soundtracks", "z-copy.flac")
    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    analyse_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")

    report = report_of_track(ten_tracks, find_track(ten_tracks, "z-copy.flac"))

    assert report.same_audio == ["song-3.flac"]
    assert report.represented_by == find_track(ten_tracks, "song-3.flac").track_id
    assert report.recommendations == []


def test_a_rejected_track_has_neither_features_nor_a_place_in_the_index(ten_tracks: Library) -> None:
    ten_tracks.blobs.write("soundtracks", "broken.mp3", b"no music")
    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    analyse_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")

    report = report_of_track(ten_tracks, find_track(ten_tracks, "broken.mp3"))

    assert (report.track.state, report.has_cepstra, report.represented_by) == ("rejected", False, None)
    assert report.same_audio == []


def test_a_damaged_index_is_told_and_the_rest_is_reported(ten_tracks: Library) -> None:
    damage(ten_tracks, f"indexes/{ten_tracks.indexes.published_version()}/index.json", flip)

    report = report_of_track(ten_tracks, find_track(ten_tracks, "Song 3"))

    assert report.index_fault
    assert len(report.recommendations) == 5


def test_a_track_of_a_folder_in_place_names_the_folder(library: Library, tmp_path: Path, query: Path) -> None:
    folder = tmp_path / "Music"
    folder.mkdir()
    query.rename(folder / "song.flac")
    library.music_folders.add([folder])
    observe_soundtracks(library, library.shards, run_id="run")

    report = report_of_track(library, find_track(library, "Music/song.flac"))

    assert (report.file, report.in_place, report.copied_from) == (str(folder / "song.flac"), str(folder), "")
    assert (report.is_there, report.is_away) == (True, False)

    folder.rename(tmp_path / "unmounted")
    report = report_of_track(library, find_track(library, "Music/song.flac"))
    assert (report.is_there, report.is_away) == (False, True)
