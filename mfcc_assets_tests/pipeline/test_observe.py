"""Observation: the catalogue and the artworks follow the files of the container."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import Difference, soundtrack_files
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.outstanding_work import changed_soundtracks
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import SOUNDTRACKS, Blob
from mfcc_assets_tests.audio_samples import retag, write_tone


def put(library: Library, path: Path) -> None:
    """Upload a file to the container `soundtracks` under its own name."""
    library.blobs.upload_file("soundtracks", path.name, path)


def observe(library: Library) -> Difference:
    """Observe the soundtracks of all shards."""
    return observe_soundtracks(library, library.shards, run_id="run").difference


def test_a_new_file_gets_a_row_with_its_tags_and_an_artwork(library: Library, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.flac", seconds=1.0)
    retag(path, title="A song", artist="A singer")
    put(library, path)

    found = observe(library)

    (track,) = library.catalogue.soundtracks()
    assert found == Difference(new=("song.flac",), changed=(), gone=(), unchanged=())
    assert (track.title, track.artist) == ("A song", "A singer")
    assert [blob.name for blob in library.blobs.list("artworks")] == [track.artwork]


def test_new_tags_are_seen_although_the_file_keeps_its_size_and_time(library: Library, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.flac", seconds=1.0)
    retag(path, title="A song")
    put(library, path)
    observe(library)
    file = library.settings.blobs / "soundtracks" / "song.flac"
    before = file.stat()

    retag(file, title="A tune")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert file.stat().st_size == before.st_size
    assert observe(library).changed == ("song.flac",)
    assert [track.title for track in library.catalogue.soundtracks()] == ["A tune"]
    assert observe(library).changed == ()


def test_a_copied_library_has_nothing_to_do_and_reads_its_files_only_once_more(
    library: Library, tmp_path: Path
) -> None:
    put(library, write_tone(tmp_path / "song.flac", seconds=1.0))
    observe(library)
    analyse_soundtracks(library, library.shards, run_id="run")
    library.close()
    shutil.copytree(library.settings.home, tmp_path / "copy")

    with Library(library.settings.model_copy(update={"home": tmp_path / "copy"})) as copy:
        assert changed_soundtracks(copy, soundtrack_files(copy)) == {}
        assert observe(copy) == Difference(new=(), changed=(), gone=(), unchanged=("song.flac",))
        (blob,) = copy.blobs.list("soundtracks")
        assert copy.catalogue.known_files()["song.flac"].observed_at >= blob.modified


def test_a_file_without_a_title_is_named_after_its_file(library: Library, tmp_path: Path) -> None:
    put(library, write_tone(tmp_path / "evening_song.flac", seconds=1.0))

    observe(library)

    assert [track.title for track in library.catalogue.soundtracks()] == ["evening song"]


def test_a_track_without_an_artist_shows_the_artist_of_its_album(library: Library, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.flac", seconds=1.0)
    retag(path, title="A song", albumartist="The Orchestra", discnumber="2/3")
    put(library, path)
    observe(library)

    (track,) = library.catalogue.soundtracks()
    assert (track.artist, track.album_artist, track.artists, track.disc_number) == (
        *("The Orchestra", "The Orchestra", ()),
        2,
    )


def test_the_ids_of_musicbrainz_in_the_tags_are_recorded(library: Library, tmp_path: Path) -> None:
    recording, release, anna, bo = (f"{number:08x}-0000-4000-8000-000000000000" for number in range(4))
    path = write_tone(tmp_path / "song.flac", seconds=1.0)
    retag(path, title="A song", musicbrainz_trackid=recording, musicbrainz_albumid=release)
    retag(path, artist=["Anna", "Bo"], musicbrainz_artistid=[anna, bo])
    put(library, path)
    observe(library)

    (track,) = library.catalogue.soundtracks()
    assert (track.recording_mbid, track.release_mbid, track.artist_mbids) == (recording, release, (anna, bo))


def test_the_artists_of_a_track_are_recorded_one_by_one(library: Library, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.flac", seconds=1.0)
    retag(path, artist=["Anna", "Bo"])
    put(library, path)
    observe(library)

    (track,) = library.catalogue.soundtracks()
    assert (track.artist, track.artists) == ("Anna, Bo", ("Anna", "Bo"))


def test_damaged_tags_are_noted_and_missing_tags_are_not(library: Library, tmp_path: Path) -> None:
    sound = write_tone(tmp_path / "untagged.mp3", seconds=1.0)
    damaged = tmp_path / "damaged.mp3"
    damaged.write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x10" + 16 * b"?" + sound.read_bytes())
    put(library, sound)
    put(library, damaged)
    observe(library)

    notes = {track.blob_name: (track.state, track.every_note) for track in library.catalogue.soundtracks()}
    assert notes == {
        "damaged.mp3": ("waiting", "no tags could be read, because they are damaged"),
        "untagged.mp3": ("waiting", ""),
    }


def test_a_new_file_is_asked_for_once_because_its_version_is_known_from_the_listing(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Counter[str]()
    stat = LocalBlobs.stat

    def count(blobs: LocalBlobs, container: str, name: str) -> Blob:
        asked[name] += container == SOUNDTRACKS
        return stat(blobs, container, name)

    library.blobs.upload_file(SOUNDTRACKS, "a.wav", write_tone(tmp_path / "a.wav", 1))
    monkeypatch.setattr(LocalBlobs, "stat", count)

    observe_soundtracks(library, library.shards, run_id="run")

    assert asked["a.wav"] == 1
    assert library.catalogue.manifest(library.shards) == {"a.wav": library.blobs.stat(SOUNDTRACKS, "a.wav").etag}


def test_an_unchanged_file_is_not_read_again(library: Library, tmp_path: Path) -> None:
    put(library, write_tone(tmp_path / "song.flac", seconds=1.0))
    observe(library)
    observe_soundtracks(library, library.shards, run_id="the next run")

    assert len(library.catalogue.soundtracks_of_run("run")) == 1
    assert library.catalogue.soundtracks_of_run("the next run") == []


def test_new_tags_of_a_file_replace_its_row(library: Library, tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.flac", seconds=1.0)
    put(library, path)
    observe(library)
    retag(path, title="Another title")
    put(library, path)

    assert observe(library).changed == ("song.flac",)
    assert [track.title for track in library.catalogue.soundtracks()] == ["Another title"]


def test_the_row_and_the_artwork_of_a_deleted_file_are_deleted(library: Library, tmp_path: Path) -> None:
    put(library, write_tone(tmp_path / "song.flac", seconds=1.0))
    observe(library)
    library.blobs.delete("soundtracks", "song.flac")

    assert observe(library).gone == ("song.flac",)
    assert library.catalogue.soundtracks() == []
    assert list(library.blobs.list("artworks")) == []


def test_only_the_files_of_the_wanted_shards_are_observed(library: Library, tmp_path: Path) -> None:
    for number in range(6):
        put(library, write_tone(tmp_path / f"{number}.flac", seconds=0.5))
    shard = track_id("0.flac")[: library.settings.shard_digits]

    observe_soundtracks(library, [shard], run_id="run")

    of_shard = {name for name in (f"{number}.flac" for number in range(6)) if track_id(name).startswith(shard)}
    assert {track.blob_name for track in library.catalogue.soundtracks()} == of_shard


def test_companions_of_music_are_not_observed(library: Library) -> None:
    library.blobs.write("soundtracks", "cover.jpg", b"a picture")

    assert not observe(library)


def test_a_file_that_is_not_music_is_observed_so_that_the_analysis_can_reject_it(library: Library) -> None:
    library.blobs.write("soundtracks", "letter.mp3", b"not music")

    assert observe(library).new == ("letter.mp3",)
    assert [track.title for track in library.catalogue.soundtracks()] == ["letter"]


def test_a_file_without_audio_is_skipped_and_counted_and_not_read_again(library: Library, tmp_path: Path) -> None:
    put(library, write_tone(tmp_path / "song.flac", seconds=0.5))
    for name in ("README", "cover.jpg", ".git/song.mp3", "song.mp3.part", "Album", "Artist/Album"):
        library.blobs.write("soundtracks", name, b"text" if name == "README" else b"")
    library.blobs.write("soundtracks", "damaged.au", b"the few bytes that are left of audio")
    library.blobs.write("soundtracks", "letter.snd", b"a text that only says by its suffix that it is audio\n" * 100)
    for _ in range(2):
        found = observe_soundtracks(library, library.shards, run_id="run")
        assert found.skipped == {
            "covers, playlists and texts": ["cover.jpg"],
            "empty blobs that stand for folders": ["Album", "Artist/Album"],
            "files without audio": ["README", "letter.snd"],
            "hidden and system files": [".git/song.mp3"],
            "unfinished downloads": ["song.mp3.part"],
        }
        assert not {"README", "letter.snd"} & {*found.difference.outcomes}
        assert [track.blob_name for track in library.catalogue.soundtracks()] == ["damaged.au", "song.flac"]
    assert "README" in library.catalogue.manifest(library.shards)


def test_a_file_may_become_music_and_cease_to_be_music(library: Library, tmp_path: Path) -> None:
    for content, is_music in (
        (b"text", False),
        (write_tone(tmp_path / "a.flac", 0.5).read_bytes(), True),
        (b"-", False),
    ):
        library.blobs.write("soundtracks", "song", content)
        found = observe_soundtracks(library, library.shards, run_id="run")
        assert bool(library.catalogue.soundtracks()) == is_music
        assert bool(found.skipped) != is_music
        assert len(library.catalogue.manifest(library.shards)) == 1
    library.blobs.delete("soundtracks", "song")
    observe_soundtracks(library, library.shards, run_id="run")
    assert library.catalogue.skipped_files() == []
