"""The state of a library at one look."""

from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets.pipeline.library_status import disk_use, status_of
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.storage.disk_use import bytes_on_disk
from mfcc_assets_tests.audio_samples import write_tone
from mfcc_assets_tests.damage import damage, flip
from mfcc_assets_tests.runs import drop_upload
from mfcc_assets_tests.upload_steps import answer_uploads


def test_the_state_counts_tracks_uploads_and_changes(ten_tracks: Library, query: Path) -> None:
    answer_uploads(ten_tracks, [drop_upload(ten_tracks, query, "query.flac")])
    ten_tracks.blobs.delete("soundtracks", "song-3.flac")
    ten_tracks.blobs.upload_file("soundtracks", "new.flac", query)

    status = status_of(ten_tracks)

    assert status.states == {"analysed": 10, "waiting": 0, "rejected": 0}
    assert status.seconds == 30.0
    assert status.uploads == {"ranked": 1}
    assert status.outstanding == ["new new.flac", "gone song-3.flac"]
    assert status.index is not None
    assert (status.index.stored.version, status.index_fault) == (ten_tracks.indexes.published_version(), "")


def test_an_empty_library_has_no_index_and_nothing_waits(library: Library) -> None:
    status = status_of(library)

    assert (status.index, status.index_fault, status.outstanding) == (None, "", [])


def test_folders_in_place_are_counted_and_those_that_are_away_are_named(library: Library, tmp_path: Path) -> None:
    for name in ("Music", "Other"):
        (tmp_path / name).mkdir()
        write_tone(tmp_path / name / "song.flac", 1.0)
    library.music_folders.add([tmp_path / "Music", tmp_path / "Other"])
    (tmp_path / "Other").rename(tmp_path / "unmounted")

    status = status_of(library)

    assert status.folders_in_place == [str(tmp_path / "Music"), str(tmp_path / "Other")]
    assert status.paths_away == [str(tmp_path / "Other")]


def test_what_is_away_below_a_folder_and_behind_a_link_is_named(library: Library, tmp_path: Path) -> None:
    own = (library.blobs.path("soundtracks", "linked") or tmp_path).absolute()
    for place in ("Music", "disk", "other disk"):
        (tmp_path / place).mkdir()
        write_tone(tmp_path / place / "song.flac", 1.0)
    links = [own, tmp_path / "Music/linked"]
    links[0].symlink_to(tmp_path / "disk")
    links[1].symlink_to(tmp_path / "other disk")
    library.music_folders.add([tmp_path / "Music"])
    observe_soundtracks(library, library.shards, run_id="run")
    for disk in ("disk", "other disk"):
        (tmp_path / disk).rename(tmp_path / f"{disk} is off")

    assert sorted(status_of(library).paths_away) == sorted(map(str, links))


def test_a_damaged_index_is_told(ten_tracks: Library) -> None:
    damage(ten_tracks, f"indexes/{ten_tracks.indexes.published_version()}/index.json", flip)

    status = status_of(ten_tracks)

    assert status.index is None
    assert "the stored index is corrupt" in status.index_fault


def test_the_parts_of_the_disk_add_up_to_the_home(ten_tracks: Library, tmp_path: Path) -> None:
    before = disk_use(ten_tracks)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "large.flac").write_bytes(bytes(1_000_000))
    (ten_tracks.settings.blobs / "soundtracks" / "linked").symlink_to(tmp_path / "elsewhere")

    used = disk_use(ten_tracks)

    assert sum(used.values()) == bytes_on_disk(ten_tracks.settings.folder)
    assert used["features"] > 0
    assert used["other"] < 100_000, "everything large is named"
    assert used["soundtracks"] < before["soundtracks"] + 100_000, "a linked folder takes no space here"
    assert list(used.values()) == sorted(used.values(), reverse=True)
