"""Adding files with unusual names and from unusual places."""

from pathlib import Path

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.add_files import Addition, add_files
from mfcc_assets.storage.blobs.names import check_name


def add(library: Library, *paths: Path) -> Addition:
    *_, addition = add_files(library, paths)
    return addition


def write(path: Path, content: str = "music") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def contents(library: Library) -> dict[str, str]:
    return {
        blob.name: library.blobs.read("soundtracks", blob.name).decode() for blob in library.blobs.list("soundtracks")
    }


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
        "no suffix",
    ],
)
def test_a_file_keeps_its_name(library, tmp_path, name: str) -> None:
    assert add(library, write(tmp_path / name)).added == [name]
    assert contents(library) == {name: "music"}


@pytest.mark.parametrize(
    "name", ["line\nfeed.mp3", "back\\slash.mp3", " spaces at the ends .mp3 ", "trailing dots.mp3..."]
)
def test_a_name_that_no_blob_can_have_is_changed(library, tmp_path, name: str) -> None:
    (added,) = add(library, write(tmp_path / name)).added
    check_name(added)
    assert contents(library) == {added: "music"}


def test_a_single_file_is_named_without_its_folders(library, tmp_path, monkeypatch) -> None:
    write(tmp_path / "music/absolute.mp3")
    write(tmp_path / "in_parent.mp3")
    monkeypatch.chdir(tmp_path / "music")
    assert add(library, tmp_path / "music/absolute.mp3", Path("../in_parent.mp3")).added == [
        "absolute.mp3",
        "in_parent.mp3",
    ]


def test_a_folder_is_added_with_its_subfolders_by_any_path(library, tmp_path, monkeypatch) -> None:
    write(tmp_path / "music/artist/album/1.mp3")
    write(tmp_path / "music/artist/2.mp3")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert sorted(add(library, Path("../music")).added) == ["music/artist/2.mp3", "music/artist/album/1.mp3"]


def test_covers_playlists_and_hidden_files_are_skipped_and_listed(library, tmp_path) -> None:
    skipped = [write(tmp_path / f"music/{name}") for name in (".hidden.mp3", "cover.jpg", "list.m3u")]
    write(tmp_path / "music/song.mp3")
    addition = add(library, tmp_path / "music")
    assert addition.added == ["music/song.mp3"]
    assert sorted(addition.skipped) == skipped


def test_files_with_the_same_name_in_one_call_do_not_replace_each_other(library, tmp_path) -> None:
    first, second, third = (
        write(tmp_path / folder / "song.mp3", folder) for folder in ("one/disc", "two/disc", "three/disc")
    )
    assert len(add(library, first, second, third).added) == 3
    assert sorted(contents(library).values()) == ["one/disc", "three/disc", "two/disc"]


def test_an_unchanged_file_is_not_added_again_and_a_changed_one_replaces_it(library, tmp_path) -> None:
    song = write(tmp_path / "song.mp3", "first")
    add(library, song)
    version = library.blobs.stat("soundtracks", "song.mp3").etag
    assert add(library, song).already_there == ["song.mp3"]
    assert library.blobs.stat("soundtracks", "song.mp3").etag == version
    assert add(library, write(song, "second")).replaced == ["song.mp3"]
    assert contents(library) == {"song.mp3": "second"}


def test_links_to_files_are_followed_and_links_to_folders_are_not(library, tmp_path) -> None:
    write(tmp_path / "elsewhere/song.mp3")
    (tmp_path / "music").mkdir()
    (tmp_path / "music/linked.mp3").symlink_to(tmp_path / "elsewhere/song.mp3")
    (tmp_path / "music/itself").symlink_to(tmp_path / "music")
    assert add(library, tmp_path / "music").added == ["music/linked.mp3"]


def test_the_progress_is_yielded_after_every_file(library, tmp_path) -> None:
    for number in range(3):
        write(tmp_path / f"music/{number}.mp3")
    assert [len(addition.added) for addition in add_files(library, [tmp_path / "music"])] == [1, 2, 3]


def test_an_empty_folder_adds_nothing(library, tmp_path) -> None:
    (tmp_path / "music").mkdir()
    assert add(library, tmp_path / "music") == Addition()
