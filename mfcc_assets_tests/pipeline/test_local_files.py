"""Music below folders of this machine: what is skipped, and where links lead."""

import os
from pathlib import Path

import pytest

from mfcc_assets.music_names import COMPANIONS, HIDDEN, NO_AUDIO, UNFINISHED
from mfcc_assets.pipeline.local_files import find_music
from mfcc_assets.storage.blobs.found_files import FoundFiles
from mfcc_assets.storage.blobs.port import BROKEN_LINKS, NO_FILES, OF_THE_LIBRARY, TAKEN_ALREADY
from mfcc_assets_tests.audio_samples import write_tone
from mfcc_assets_tests.ordinary_user import as_ordinary_user


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Make a folder with one song in a subfolder, beside a folder with another one."""
    for place in ("music/album", "elsewhere/disc"):
        write(tmp_path / place / "song.mp3")
    return tmp_path / "music"


def write(path: Path, content: bytes = b"anything") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def paths(found: FoundFiles, root: Path) -> list[str]:
    return [str(file.path.relative_to(root)) for file in found.music]


def test_what_is_no_music_is_skipped_by_kind(music: Path) -> None:
    expected = {
        HIDDEN: [music / ".Trash-1000", music / "album/@eaDir", write(music / "album/._song.mp3")],
        UNFINISHED: [write(music / "album/song.mp3.part")],
        COMPANIONS: [write(music / "album/cover.jpg")],
        NO_AUDIO: [write(music / "README", b"A text.")],
        NO_FILES: [music / "fifo.mp3"],
    }
    write(music / ".Trash-1000/files/song.mp3")
    write(music / "album/@eaDir/song.mp3")
    os.mkfifo(music / "fifo.mp3")
    found = find_music([music])
    assert found.skipped == expected
    assert paths(found, music) == ["album/song.mp3"]


@pytest.mark.parametrize(
    "name", [".music/song.mp3", "#recycle/song.mp3", ".hidden.mp3", "lost+found", "song.mp3.part", "Album.download"]
)
def test_what_the_user_names_is_taken_whatever_its_name(tmp_path: Path, name: str) -> None:
    named = tmp_path / name
    write(named / "song.mp3" if "." not in name[1:] or name.endswith("download") else named)
    if named.name == "song.mp3.part":
        write_tone(tmp_path / "tone.flac", 0.1).rename(named)
    assert len(find_music([named]).music) == 1
    assert len(find_music([tmp_path / Path(name).parts[0]]).music) == 1


def test_a_text_that_the_user_names_is_no_music(tmp_path: Path) -> None:
    found = find_music([write(tmp_path / "README", b"A text."), write(tmp_path / "cover.jpg")])
    assert found.music == []
    assert found.skipped == {NO_AUDIO: [tmp_path / "README"], COMPANIONS: [tmp_path / "cover.jpg"]}


def test_links_to_folders_and_files_are_followed(music: Path, tmp_path: Path) -> None:
    (music / "a linked folder").symlink_to(tmp_path / "elsewhere")
    (music / "linked.mp3").symlink_to(write(tmp_path / "third.mp3"))
    found = find_music([music])
    assert paths(found, music) == ["album/song.mp3", "a linked folder/disc/song.mp3", "linked.mp3"]
    assert found.skipped == {}


@pytest.mark.parametrize(
    "target",
    [".", "..", "album", "../elsewhere/back", "../second"],
    ids=["itself", "parent", "sibling", "chain", "root"],
)
def test_no_link_leads_round_in_a_loop_or_takes_a_file_twice(music: Path, tmp_path: Path, target: str) -> None:
    write(tmp_path / "second/song.mp3")
    (tmp_path / "elsewhere/back").symlink_to(music)
    (music / "a link").symlink_to(target)
    found = find_music([music, tmp_path / "second"])
    assert paths(found, tmp_path) == ["music/album/song.mp3", "second/song.mp3"]
    assert found.skipped == {TAKEN_ALREADY: [music / "a link"]}


def test_two_links_to_one_folder_and_into_it_take_each_file_once(music: Path, tmp_path: Path) -> None:
    (music / "a").symlink_to(tmp_path / "elsewhere/disc")
    (music / "b").symlink_to(tmp_path / "elsewhere")
    (music / "c").symlink_to(tmp_path / "elsewhere")
    (music / "d.mp3").symlink_to(tmp_path / "elsewhere/disc/song.mp3")
    found = find_music([music])
    assert paths(found, music) == ["album/song.mp3", "a/song.mp3"]
    assert found.skipped == {TAKEN_ALREADY: [music / "b/disc", music / "c", music / "d.mp3"]}


def test_broken_links_are_counted(music: Path) -> None:
    for name, target in (("gone", "/nowhere/at/all"), ("loop.mp3", "loop.mp3")):
        (music / name).symlink_to(target)
    assert find_music([music]).skipped == {BROKEN_LINKS: [music / "gone", music / "loop.mp3"]}


def test_what_may_not_be_read_is_told_and_the_rest_is_found(music: Path, tmp_path: Path) -> None:
    listed_only, closed = write(music / "b/song.mp3").parent, write(tmp_path / "closed/song.mp3").parent
    links = [music / "link.mp3", music / "link to a folder", tmp_path / "named.mp3"]
    for link, target in zip(links, ("song.mp3", "", "song.mp3"), strict=True):
        link.symlink_to(closed / target)
    listed_only.chmod(0o644)
    closed.chmod(0)
    with as_ordinary_user():
        found = find_music([music, links[2]])
    for folder in (listed_only, closed):
        folder.chmod(0o755)
    assert paths(found, music) == ["album/song.mp3"]
    assert found.skipped == {}
    assert found.unreadable == dict.fromkeys((listed_only / "song.mp3", *links), "Permission denied")


def test_the_folder_of_the_library_is_not_taken_into_itself(music: Path) -> None:
    write(music / "mfcc_data/blobs/uploads/secret.mp3")
    found = find_music([music], without=[music / "mfcc_data"])
    assert paths(found, music) == ["album/song.mp3"]
    assert found.skipped == {OF_THE_LIBRARY: [music / "mfcc_data"]}


def test_folders_named_twice_and_inside_each_other_are_taken_once(music: Path) -> None:
    for named in ([music, music / "album", music], [music / "album/song.mp3", music / "album", music]):
        found = find_music(named)
        assert len(found.music) == 1
        assert found.skipped == {}
