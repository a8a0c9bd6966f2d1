"""Adding files: their names, and that no file ever replaces another one."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.add_files import Addition, add_files
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.storage.blobs.names import check_name, file_of_name
from mfcc_assets_tests.audio_samples import write_tone


def add(library: Library, *paths: Path) -> Addition:
    *_, addition = add_files(library, paths)
    return addition


def write(path: Path, content: str = "music") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def swap(one: Path, other: Path) -> None:
    """Let two folders change places. The change times of the files in them stay."""
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def contents(library: Library) -> dict[str, str]:
    return {
        blob.name: library.blobs.read("soundtracks", blob.name).decode() for blob in library.blobs.list("soundtracks")
    }


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "with spaces.mp3",
            "100%.mp3",
            "%2e%2e%2fescaped.mp3",
            "#1 & co?.mp3",
            "🎷🎶 Ünïcödé.mp3",
            "quotes \" ' `.mp3",
            "-dash.mp3",
            "a" * 246 + ".mp3",
            "dots..in..it.mp3",
        ],
    )
    def test_a_file_keeps_its_name(self, library, tmp_path, name: str) -> None:
        assert add(library, write(tmp_path / name)).added == [name]
        assert contents(library) == {name: "music"}

    @pytest.mark.parametrize(
        "name",
        [
            "line\nfeed.mp3",
            "back\\slash.mp3",
            " spaces at the ends .mp3 ",
            "trailing dots.mp3...",
            os.fsdecode(b"caf\xe9.mp3"),
            ".hidden.mp3",
        ],
    )
    def test_a_name_that_no_blob_can_have_is_changed(self, library, tmp_path, name: str) -> None:
        (added,) = add(library, write(tmp_path / name)).added
        check_name(added)
        assert contents(library) == {added: "music"}
        assert add(library, tmp_path / name).already_there == [added]

    @pytest.mark.parametrize(
        ("name", "title"),
        [
            ("AC\\DC.wav", "AC\\DC"),
            (os.fsdecode(b"caf\xe9.wav"), r"caf\xe9"),
            ("line\nfeed.wav", r"line\x0afeed"),
            (os.fsdecode(b"f\xe9\\/01 A\\B \xff.wav"), r"A\B \xff"),
        ],
    )
    def test_every_byte_of_a_name_is_kept_in_the_library_and_in_the_title(self, library, tmp_path, name, title) -> None:
        (tmp_path / "music" / name).parent.mkdir(parents=True)
        write_tone(tmp_path / "tone.wav", 1.0).rename(tmp_path / "music" / name)
        (added,) = add(library, tmp_path / "music").added
        assert file_of_name(added) == f"music/{name}"
        assert add(library, library.settings.blobs / "soundtracks" / "music" / name).already_there == [added]
        observe_soundtracks(library, library.shards, run_id="run")
        assert [track.title for track in library.catalogue.soundtracks()] == [title]

    def test_a_single_file_is_named_without_its_folders(self, library, tmp_path, monkeypatch) -> None:
        write(tmp_path / "music/absolute.mp3")
        write(tmp_path / "in_parent.mp3")
        monkeypatch.chdir(tmp_path / "music")
        assert add(library, tmp_path / "music/absolute.mp3", Path("../in_parent.mp3")).added == [
            "absolute.mp3",
            "in_parent.mp3",
        ]

    def test_a_folder_is_added_with_its_subfolders_by_any_path(self, library, tmp_path, monkeypatch) -> None:
        write(tmp_path / "music/artist/album/1.mp3")
        write(tmp_path / "music/artist/2.mp3")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert sorted(add(library, Path("../music")).added) == ["music/artist/2.mp3", "music/artist/album/1.mp3"]
        monkeypatch.chdir(tmp_path / "music")
        assert len(add(library, Path()).already_there) == 2

    def test_the_progress_is_yielded_before_the_first_file_and_after_every_file(self, library, tmp_path) -> None:
        for number in range(3):
            write(tmp_path / f"music/{number}.mp3")
        assert [len(addition.added) for addition in add_files(library, [tmp_path / "music"])] == [0, 1, 2, 3]

    def test_an_empty_folder_adds_nothing(self, library, tmp_path) -> None:
        (tmp_path / "music").mkdir()
        assert add(library, tmp_path / "music") == Addition()


class TestOneFileNeverReplacesAnother:
    @pytest.mark.parametrize("content", ["another", "music"], ids=["other bytes", "the same bytes"])
    def test_two_discs_of_one_name_both_stay(self, library, tmp_path, content: str) -> None:
        first = write(tmp_path / "Album A/CD1/01 - Intro.mp3")
        second = write(tmp_path / "Album B/CD1/01 - Intro.mp3", content)
        write(tmp_path / "Album B/CD1/02 - Song.mp3")
        assert add(library, first.parent).added == ["CD1/01 - Intro.mp3"]
        # All files of an album stay together.
        names = ["Album B/CD1/01 - Intro.mp3", "Album B/CD1/02 - Song.mp3"]
        assert add(library, second.parent).added == names
        assert len(contents(library)) == 3

        assert add(library, second.parent).already_there == names
        assert add(library, first.parent).already_there == ["CD1/01 - Intro.mp3"]
        write(second, "tagged again")
        assert add(library, second.parent).replaced == [names[0]]
        write(first, "tagged again, too")
        assert add(library, first).replaced == ["CD1/01 - Intro.mp3"]
        assert sorted(contents(library).values()) == ["music", "tagged again", "tagged again, too"]

    def test_single_files_of_one_name_both_stay(self, library, tmp_path) -> None:
        first, second = write(tmp_path / "a/song.mp3", "a"), write(tmp_path / "b/song.mp3", "b")
        add(library, first)
        assert add(library, second).added == ["b/song.mp3"]
        assert add(library, first, second).already_there == ["song.mp3", "b/song.mp3"]
        assert contents(library) == {"song.mp3": "a", "b/song.mp3": "b"}

    def test_the_present_folder_of_two_places_is_two_folders(self, library, tmp_path, monkeypatch) -> None:
        for place in "ab":
            write(tmp_path / place / "Music/song.mp3", place)
            monkeypatch.chdir(tmp_path / place / "Music")
            add(library, Path())
        assert contents(library) == {"Music/song.mp3": "a", "b/Music/song.mp3": "b"}

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("Song.mp3", "song.mp3"),
            ("caf\u00e9.mp3", "cafe\u0301.mp3"),
            ("a\nb.mp3", "a_b.mp3"),
            ("a\x01b.mp3", "a\x02b.mp3"),
            ("dots.mp3.", "dots.mp3"),
            ("AC\\DC.mp3", "AC/DC.mp3"),
        ],
    )
    def test_names_that_become_one_name_get_a_number(self, library, tmp_path, first: str, second: str) -> None:
        for name in (first, second):
            write(tmp_path / "music" / name, name)
        for _ in range(2):
            add(library, tmp_path / "music")
            assert sorted(contents(library).values()) == sorted([first, second])
        assert len({name.casefold() for name in contents(library)}) == 2

    def test_files_with_the_same_name_in_one_call_both_stay(self, library, tmp_path) -> None:
        first, second, third = (
            write(tmp_path / folder / "song.mp3", folder) for folder in ("one/disc", "two/disc", "three/disc")
        )
        assert len(add(library, first, second, third).added) == 3
        assert sorted(contents(library).values()) == ["one/disc", "three/disc", "two/disc"]

    def test_a_file_and_a_folder_of_one_name_both_stay(self, library, tmp_path) -> None:
        library.blobs.write("soundtracks", "a.mp3", b"a file")
        library.blobs.write("soundtracks", "b.mp3/song.mp3", b"in a folder")
        write(tmp_path / "a.mp3/song.mp3", "other")
        write(tmp_path / "b.mp3", "other")
        assert len(add(library, tmp_path / "a.mp3", tmp_path / "b.mp3").added) == 2
        assert sorted(contents(library).values()) == ["a file", "in a folder", "other", "other"]

    def test_a_file_that_came_by_other_means_is_not_replaced(self, library, tmp_path) -> None:
        library.blobs.write("soundtracks", "song.mp3", b"from before")
        assert add(library, write(tmp_path / "a/song.mp3")).added == ["a/song.mp3"]
        assert contents(library)["song.mp3"] == "from before"

    def test_a_blob_that_was_changed_in_the_library_is_not_replaced(self, library, tmp_path) -> None:
        song = write(tmp_path / "song.mp3", "first")
        add(library, song)
        library.blobs.write("soundtracks", "song.mp3", b"tagged in the library")
        assert add(library, song).already_there == ["song.mp3"]
        write(song, "tagged outside")
        assert len(add(library, song).added) == 1
        assert sorted(contents(library).values()) == ["tagged in the library", "tagged outside"]


class TestOneFileIsStoredOnce:
    def test_another_disc_at_the_same_path_replaces_nothing(self, library, tmp_path) -> None:
        mounted, other = tmp_path / "cdrom", tmp_path / "other"
        for folder, content in ((mounted, "one"), (other, "two")):
            write(folder / "Track 1.wav", content)
        assert add(library, mounted).added == ["cdrom/Track 1.wav"]
        # Neither disc has changed since, so both are older than what was added.
        (added,) = library.added_files.every()
        library.added_files.record(replace(added, added_at=added.added_at + 60))

        swap(mounted, other)
        assert add(library, mounted).added == ["cdrom/Track 1 (2).wav"]
        swap(mounted, other)
        assert add(library, mounted).already_there == ["cdrom/Track 1.wav"]
        swap(mounted, other)
        assert add(library, mounted).already_there == ["cdrom/Track 1 (2).wav"]
        assert contents(library) == {"cdrom/Track 1.wav": "one", "cdrom/Track 1 (2).wav": "two"}

    def test_an_unchanged_file_is_not_added_again_and_a_changed_one_replaces_it(self, library, tmp_path) -> None:
        song = write(tmp_path / "song.mp3", "first")
        add(library, song)
        version = library.blobs.stat("soundtracks", "song.mp3").etag
        assert add(library, song).already_there == ["song.mp3"]
        assert library.blobs.stat("soundtracks", "song.mp3").etag == version
        assert add(library, write(song, "second")).replaced == ["song.mp3"]
        assert contents(library) == {"song.mp3": "second"}

    def test_it_is_found_by_every_path(self, library, tmp_path, monkeypatch) -> None:
        song = write(tmp_path / "Music/Album/song.mp3")
        add(library, tmp_path / "Music")
        (tmp_path / "link").symlink_to(tmp_path / "Music")
        monkeypatch.chdir(tmp_path / "Music")
        paths = [tmp_path / "Music/Album", song, tmp_path / "link", tmp_path / "link/Album/song.mp3", Path("Album")]
        for path in paths:
            assert add(library, path).already_there == ["Music/Album/song.mp3"]
        assert add(library, tmp_path / "Music", *paths).already_there == ["Music/Album/song.mp3"]
        write(song, "tagged again")
        assert add(library, Path("Album/song.mp3")).replaced == ["Music/Album/song.mp3"]
        assert contents(library) == {"Music/Album/song.mp3": "tagged again"}

    def test_new_files_of_a_known_folder_lie_beside_the_others(self, library, tmp_path) -> None:
        write(tmp_path / "Music/Album/1.mp3")
        add(library, tmp_path / "Music")
        write(tmp_path / "Music/Album/2.mp3")
        write(tmp_path / "Music/New/1.mp3")
        assert add(library, tmp_path / "Music/Album").added == ["Music/Album/2.mp3"]
        assert add(library, tmp_path / "Music/New/1.mp3").added == ["Music/New/1.mp3"]

    def test_a_folder_that_moved_is_there_already(self, library, tmp_path) -> None:
        for number in range(3):
            write(tmp_path / f"here/Music/{number}.mp3", str(number))
        add(library, tmp_path / "here/Music")
        shutil.move(tmp_path / "here", tmp_path / "there")
        write(tmp_path / "there/Music/0 new.mp3", "new")
        addition = add(library, tmp_path / "there/Music")
        assert addition.added == ["Music/0 new.mp3"]
        assert len(addition.already_there) == 3
        write(tmp_path / "there/Music/1.mp3", "tagged again")
        assert add(library, tmp_path / "there/Music").replaced == ["Music/1.mp3"]

    def test_an_interrupted_addition_and_a_library_from_before_are_continued(self, library, tmp_path) -> None:
        library.blobs.write("soundtracks", "Music/Album/1.mp3", b"music")
        for number in (1, 2):
            write(tmp_path / f"Music/Album/{number}.mp3")
        addition = add(library, tmp_path / "Music")
        assert (addition.added, addition.already_there) == (["Music/Album/2.mp3"], ["Music/Album/1.mp3"])

    def test_a_deleted_soundtrack_can_be_added_again(self, library, tmp_path) -> None:
        song = write(tmp_path / "song.mp3")
        add(library, song)
        library.blobs.delete("soundtracks", "song.mp3")
        assert add(library, song).added == ["song.mp3"]

    def test_the_files_of_the_library_itself_are_there_already(self, library, tmp_path) -> None:
        add(library, write(tmp_path / "Music/song.mp3"), tmp_path / "Music")
        container = library.settings.blobs / "soundtracks"
        (tmp_path / "Music/back").symlink_to(container)
        assert add(library, container).already_there == ["song.mp3"]
        assert set(add(library, tmp_path).already_there) == {"song.mp3"}
        assert contents(library) == {"song.mp3": "music"}

    def test_a_linked_folder_of_the_library_is_not_written(self, library, tmp_path) -> None:
        song = write(tmp_path / "Music/1.mp3", "1")
        library.blobs.write("soundtracks", "other.mp3", b"music")
        (library.settings.blobs / "soundtracks/Music").symlink_to(tmp_path / "Music")
        assert add(library, song.parent).already_there == ["Music/1.mp3"]
        write(tmp_path / "elsewhere/Music/2.mp3", "2")
        assert add(library, tmp_path / "elsewhere/Music").added == ["elsewhere/Music/2.mp3"]
        assert sorted(path.name for path in song.parent.iterdir()) == ["1.mp3"]


def test_a_file_that_cannot_be_read_is_told_with_the_reason_and_the_others_are_added(library, tmp_path) -> None:
    song = write(tmp_path / "Music/song.mp3")
    (tmp_path / "Music/damaged.mp3").symlink_to("/proc/self/mem")
    addition = add(library, song.parent)
    assert addition.added == ["Music/song.mp3"]
    assert addition.unreadable == {tmp_path / "Music/damaged.mp3": "Input/output error"}


class TestSpace:
    def test_the_space_that_new_files_need_is_known_before_they_are_copied(self, library, tmp_path) -> None:
        add(library, write(tmp_path / "old.mp3", "old"))
        paths = [tmp_path / "old.mp3", write(tmp_path / "new.mp3", "music")]
        seen = [(len(addition.added), addition.bytes_needed) for addition in add_files(library, paths)]
        assert seen == [(0, 0), (0, 5), (1, 5)]

    def test_nothing_is_copied_if_the_disk_has_too_little_space(self, library, tmp_path) -> None:
        huge = write(tmp_path / "b/huge.wav")
        os.truncate(huge, 1 << 43)  # it needs no space here, because nothing is written in it
        with pytest.raises(StoreError, match=r"copying 2 files needs 8.8 TB, and its disk has .* free\. .*--in-place"):
            add(library, write(tmp_path / "a.mp3"), huge)
        assert contents(library) == {}


class TestFoldersInPlace:
    def test_a_file_of_a_folder_in_place_is_there_already(self, library, tmp_path) -> None:
        song = write(tmp_path / "Music/album/song.mp3")
        library.music_folders.add([tmp_path / "Music"])
        assert add(library, song, tmp_path / "Music").already_there == ["Music/album/song.mp3"]

    def test_a_copy_gets_no_name_of_a_folder_in_place(self, library, tmp_path) -> None:
        write(tmp_path / "a/Music/song.mp3", "in place")
        library.music_folders.add([tmp_path / "a/Music"])
        assert add(library, write(tmp_path / "b/Music/song.mp3", "copied").parent).added == ["b/Music/song.mp3"]
        assert add(library, write(tmp_path / "c/Music/other.mp3", "copied, too").parent).added == ["c/Music/other.mp3"]
