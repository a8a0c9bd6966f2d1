"""The folders in place: what a library remembers of them, and how their soundtracks are called."""

import os
from pathlib import Path

import pytest

from mfcc_assets.errors import SettingsError, StoreError
from mfcc_assets.storage.blobs.music_folders import MusicFolders


def made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def folders(tmp_path: Path, *named: Path) -> MusicFolders:
    home = tmp_path / "home"
    return MusicFolders(home, home / "blobs/soundtracks", named)


def test_a_library_remembers_its_folders(tmp_path: Path) -> None:
    assert folders(tmp_path).every() == {}
    music = made(tmp_path / "Music")
    assert folders(tmp_path).add([music]) == ["Music"]
    assert folders(tmp_path).every() == {"Music": music}


def test_folders_that_the_settings_name_are_remembered_when_a_run_looks_at_them(tmp_path: Path) -> None:
    music, more = made(tmp_path / "Music"), made(tmp_path / "more")
    folders(tmp_path).add([more])
    assert folders(tmp_path, music).every() == {"more": more, "Music": music}
    assert folders(tmp_path).every() == {"more": more}, "nobody remembers what was only looked at"
    folders(tmp_path, music).remember()
    for named in ([music], []):
        assert folders(tmp_path, *named).every() == {"more": more, "Music": music}


def test_a_name_in_the_settings_that_leads_nowhere_is_never_remembered(tmp_path: Path) -> None:
    music, mistyped = made(tmp_path / "Music"), tmp_path / "Muisc"
    named = folders(tmp_path, mistyped)
    named.remember()
    named.add([music])
    assert named.every() == {"Music": music, "Muisc": mistyped}, "it is away, and this is said"
    assert folders(tmp_path).every() == {"Music": music}


def test_a_library_that_is_only_looked_at_is_not_written(tmp_path: Path) -> None:
    folders(tmp_path, made(tmp_path / "Music")).every()
    assert not (tmp_path / "home").exists()


def test_every_folder_has_a_label_of_its_own_that_stays(tmp_path: Path) -> None:
    made(tmp_path / "home/blobs/soundtracks/MUSIC")
    first, second = made(tmp_path / "a/Music"), made(tmp_path / "b/music")
    assert folders(tmp_path).add([first]) == ["Music (2)"]
    assert folders(tmp_path).add([second]) == ["music (3)"]
    (tmp_path / "home/blobs/soundtracks/MUSIC").rmdir()
    assert folders(tmp_path, second, first).every() == {"Music (2)": first, "music (3)": second}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        (".music", "music"),
        ("caf\udce9", "caf\U0010fee9"),
        ("a:b", "a:b"),
        ("#recycle", "#recycle"),
        ("...", "untitled"),
    ],
)
def test_a_label_is_the_name_of_the_folder_as_far_as_a_blob_can_have_it(tmp_path: Path, name: str, label: str) -> None:
    music = made(tmp_path / name)
    assert folders(tmp_path).add([music]) == [label]
    assert folders(tmp_path).every() == {label: music}


def test_the_root_of_all_folders_has_a_label(tmp_path: Path) -> None:
    assert folders(tmp_path).add([Path("/")]) == ["root"]


def test_a_folder_keeps_the_path_by_which_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(made(tmp_path / "disk/Music"))
    monkeypatch.chdir(tmp_path)
    folders(tmp_path).add([Path("link")])
    assert folders(tmp_path).every() == {"link": tmp_path / "link"}
    assert folders(tmp_path).add([tmp_path / "disk/Music"]) == ["link"], "it is the same folder"


def test_a_folder_in_another_one_is_there_already_and_a_folder_around_it_takes_its_place(tmp_path: Path) -> None:
    inner = made(tmp_path / "Music/Jazz")
    assert folders(tmp_path).add([inner]) == ["Jazz"]
    assert folders(tmp_path).add([tmp_path / "Music"]) == ["Music"]
    assert folders(tmp_path).add([inner]) == ["Music"]
    assert folders(tmp_path, inner).every() == {"Music": tmp_path / "Music"}


@pytest.mark.parametrize("inside", ["home", "home/blobs/soundtracks/album", "a link"])
def test_a_folder_of_the_library_itself_is_refused(tmp_path: Path, inside: str) -> None:
    made(tmp_path / "home/blobs/soundtracks/album")
    (tmp_path / "a link").symlink_to("home")
    with pytest.raises(SettingsError, match="lies in the library itself"):
        folders(tmp_path).add([tmp_path / inside])
    with pytest.raises(SettingsError, match="lies in the library itself"):
        folders(tmp_path, tmp_path / inside).every()


class TestForgetting:
    def test_a_folder_can_be_forgotten_while_it_is_away(self, tmp_path: Path) -> None:
        music = made(tmp_path / "Music")
        folders(tmp_path).add([music])
        music.rmdir()
        folders(tmp_path).forget(music)
        assert folders(tmp_path).every() == {}

    def test_a_folder_that_is_not_in_place_is_refused_and_the_others_are_named(self, tmp_path: Path) -> None:
        folders(tmp_path).add([made(tmp_path / "Music")])
        with pytest.raises(SettingsError, match=r"Name one of these folders: .*/Music"):
            folders(tmp_path).forget(tmp_path / "other")

    def test_a_folder_that_the_settings_name_is_refused(self, tmp_path: Path) -> None:
        music = made(tmp_path / "Music")
        with pytest.raises(SettingsError, match="MFCC_MUSIC names this folder"):
            folders(tmp_path, music).forget(music)


def test_a_damaged_list_of_folders_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    folders(tmp_path).add([made(tmp_path / "Music")])
    for damage in ("{", "[]", '{"a": 1}'):
        (tmp_path / "home/music.json").write_text(damage)
        with pytest.raises(StoreError, match=r"cannot be read .*mfcc add --in-place"):
            folders(tmp_path).every()


def test_a_library_that_may_not_be_written_still_knows_the_folders_of_the_settings(tmp_path: Path) -> None:
    home = tmp_path / "not a folder"
    home.touch()
    music = made(tmp_path / "Music")
    read_only = MusicFolders(home / "home", tmp_path / "soundtracks", [music])
    with pytest.raises(StoreError, match=r"cannot be (read|written)"):
        read_only.add([music])
    assert not os.listdir(music)  # noqa: PTH208
