"""Removing tracks from the library."""

from pathlib import Path

import pytest

from mfcc_assets.errors import BlobNameError, TrackNotFound
from mfcc_assets.library import Library
from mfcc_assets.pipeline.add_files import add_files
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.remove_tracks import forget_audio, remove_files, tracks_to_remove
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload
from mfcc_assets_tests.upload_steps import answer_uploads


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with two songs and a folder below it with another one."""
    folder = tmp_path / "album"
    (folder / "bonus").mkdir(parents=True)
    for number, name in enumerate(("one.flac", "two.flac", "bonus/three.flac")):
        write_music(folder / name, 2.0, seed=700 + number)
    return folder


def analyse(library: Library) -> None:
    observe_soundtracks(library, library.shards, run_id="run")
    analyse_soundtracks(library, library.shards, run_id="run")


def names(library: Library, *texts: str | Path) -> list[str]:
    return [track.blob_name for track in tracks_to_remove(library, map(str, texts)).tracks]


def test_tracks_are_named_by_the_paths_of_their_files_and_of_their_folders(library: Library, album: Path) -> None:
    list(add_files(library, [album]))
    observe_soundtracks(library, library.shards, run_id="run")
    everything = ["album/bonus/three.flac", "album/one.flac", "album/two.flac"]
    stored = library.settings.blobs / "soundtracks" / "album"

    assert names(library, album / "one.flac") == names(library, stored / "one.flac") == ["album/one.flac"]
    assert names(library, album) == names(library, stored) == names(library, stored / "bonus" / "..") == everything
    assert names(library, stored / "bonus", album / "bonus", "three") == ["album/bonus/three.flac"]
    assert names(library, stored.parent) == everything
    with pytest.raises(TrackNotFound):
        names(library, "one", album.parent / "another folder")


def test_a_path_names_tracks_although_its_file_is_gone(library: Library, album: Path) -> None:
    list(add_files(library, [album]))
    observe_soundtracks(library, library.shards, run_id="run")
    (album / "one.flac").unlink()

    assert names(library, album / "one.flac") == ["album/one.flac"]


def test_a_relative_path_counts_from_the_current_folder(
    library: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(add_files(library, [album]))
    observe_soundtracks(library, library.shards, run_id="run")
    monkeypatch.chdir(album)

    assert names(library, "one.flac") == ["album/one.flac"]
    assert len(names(library, ".")) == 3


def test_a_track_in_a_linked_folder_is_not_removed_and_nothing_else_either(library: Library, album: Path) -> None:
    (library.blobs.path("soundtracks", "x") or Path()).parent.joinpath("linked").symlink_to(album)
    write_music(library.settings.blobs / "soundtracks" / "own.flac", 2.0, seed=1)
    observe_soundtracks(library, library.shards, run_id="run")

    with pytest.raises(BlobNameError, match="it lies in a linked folder") as refused:
        tracks_to_remove(library, ["own.flac", "linked/one.flac"])
    assert "Delete the file there, or remove the link" in str(refused.value)


def test_a_track_in_a_folder_in_place_is_not_removed_however_it_is_named(library: Library, album: Path) -> None:
    library.blobs.upload_file("soundtracks", "own.flac", album / "one.flac")
    link = album.with_name("link to the album")
    link.symlink_to(album)
    library.music_folders.add([link])
    observe_soundtracks(library, library.shards, run_id="run")

    for text in (album, album / "two.flac", link, link / "bonus", "link to the album/one.flac"):
        with pytest.raises(BlobNameError, match="it lies in a folder in place") as refused:
            tracks_to_remove(library, ["own.flac", str(text)])
        assert str(refused.value).endswith(
            "Delete the file there, and run `mfcc sync`; `mfcc sync --forget FOLDER` lets go of the folder."
        )
    assert names(library, library.settings.blobs / "soundtracks") == ["own.flac"], "the others do not lie there"


def test_of_a_linked_file_only_the_link_is_removed(library: Library, album: Path) -> None:
    link = (library.blobs.path("soundtracks", "link.flac") or Path()).absolute()
    link.symlink_to(album / "one.flac")
    observe_soundtracks(library, library.shards, run_id="run")

    removal = tracks_to_remove(library, ["link.flac"])
    remove_files(library, removal)

    assert removal.links == ["link.flac"]
    assert not link.is_symlink()
    assert (album / "one.flac").exists()


def test_features_go_unless_another_track_or_an_upload_has_the_same_audio(library: Library, album: Path) -> None:
    for name in ("one.flac", "two.flac", "bonus/three.flac"):
        library.blobs.upload_file("soundtracks", Path(name).name, album / name)
    library.blobs.upload_file("soundtracks", "copy of two.flac", album / "two.flac")
    analyse(library)
    answer_uploads(library, [drop_upload(library, album / "bonus" / "three.flac", "upload.flac")])
    audio = {track.blob_name: track.audio_id for track in library.catalogue.soundtracks()}

    removal = tracks_to_remove(library, ["one.flac", "two.flac", "three.flac"])
    remove_files(library, removal)
    analyse(library)

    assert forget_audio(library, removal) == 1
    present = library.features.audio_with_cepstra(library.feature_parameters.cepstra)
    assert present == {audio["two.flac"], audio["three.flac"]}
    digests = {track.blob_name: track.content_digest for track in removal.tracks}
    assert library.catalogue.contents(digests.values()).keys() == {digests["two.flac"], digests["three.flac"]}
