"""Files below folders of this machine: what is skipped, and where links lead."""

from pathlib import Path

import pytest

from mfcc_assets.storage.blobs.found_files import FoundFiles, find_files
from mfcc_assets.storage.blobs.port import BROKEN_LINKS, OF_THE_LIBRARY, TAKEN_ALREADY
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


def test_links_to_folders_and_files_are_followed(music: Path, tmp_path: Path) -> None:
    (music / "a linked folder").symlink_to(tmp_path / "elsewhere")
    (music / "linked.mp3").symlink_to(write(tmp_path / "third.mp3"))
    found = find_files([music])
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
    found = find_files([music, tmp_path / "second"])
    assert paths(found, tmp_path) == ["music/album/song.mp3", "second/song.mp3"]
    assert found.skipped == {TAKEN_ALREADY: [music / "a link"]}


def test_two_links_to_one_folder_and_into_it_take_each_file_once(music: Path, tmp_path: Path) -> None:
    (music / "a").symlink_to(tmp_path / "elsewhere/disc")
    (music / "b").symlink_to(tmp_path / "elsewhere")
    (music / "c").symlink_to(tmp_path / "elsewhere")
    (music / "d.mp3").symlink_to(tmp_path / "elsewhere/disc/song.mp3")
    found = find_files([music])
    assert paths(found, music) == ["album/song.mp3", "a/song.mp3"]
    assert found.skipped == {TAKEN_ALREADY: [music / "b/disc", music / "c", music / "d.mp3"]}


def test_broken_links_are_counted(music: Path) -> None:
    for name, target in (("gone", "/nowhere/at/all"), ("loop.mp3", "loop.mp3")):
        (music / name).symlink_to(target)
    assert find_files([music]).skipped == {BROKEN_LINKS: [music / "gone", music / "loop.mp3"]}


def test_what_may_not_be_read_is_told_and_the_rest_is_found(music: Path, tmp_path: Path) -> None:
    listed_only, closed = write(music / "b/song.mp3").parent, write(tmp_path / "closed/song.mp3").parent
    links = [music / "link.mp3", music / "link to a folder", tmp_path / "named.mp3"]
    for link, target in zip(links, ("song.mp3", "", "song.mp3"), strict=True):
        link.symlink_to(closed / target)
    listed_only.chmod(0o644)
    closed.chmod(0)
    with as_ordinary_user():
        found = find_files([music, links[2]])
    for folder in (listed_only, closed):
        folder.chmod(0o755)
    assert paths(found, music) == ["album/song.mp3"]
    assert found.skipped == {}
    assert found.unreadable == dict.fromkeys((listed_only / "song.mp3", *links), "Permission denied")


def test_the_folder_of_the_library_is_not_taken_into_itself(music: Path) -> None:
    write(music / "mfcc_data/blobs/uploads/secret.mp3")
    found = find_files([music], without=[music / "mfcc_data"])
    assert paths(found, music) == ["album/song.mp3"]
    assert found.skipped == {OF_THE_LIBRARY: [music / "mfcc_data"]}


def test_folders_named_twice_and_inside_each_other_are_taken_once(music: Path) -> None:
    for named in ([music, music / "album", music], [music / "album/song.mp3", music / "album", music]):
        found = find_files(named)
        assert len(found.music) == 1
        assert found.skipped == {}
