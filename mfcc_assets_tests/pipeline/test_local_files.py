"""Music below folders of this machine: what is skipped, and where links lead."""

import os
from pathlib import Path

import pytest

from mfcc_assets.music_names import AUDIO_SUFFIXES, COMPANIONS, HIDDEN, NO_AUDIO, UNFINISHED
from mfcc_assets.pipeline.local_files import find_music
from mfcc_assets.storage.blobs.found_files import FoundFiles
from mfcc_assets.storage.blobs.port import NO_FILES
from mfcc_assets_tests.audio_samples import write_tone


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Make a folder with one song in a subfolder, beside a folder with another one."""
    for place in ("music/album", "elsewhere/disc"):
        write(tmp_path / place / "song.mp3")
    return tmp_path / "music"


def write(path: Path, content: bytes = b"\x01\x02 no text") -> Path:
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


@pytest.mark.parametrize("suffix", sorted(AUDIO_SUFFIXES))
def test_a_text_with_the_suffix_of_audio_is_passed_over_and_a_damaged_file_is_not(music: Path, suffix: str) -> None:
    text = write(music / f"poem{suffix}", b"Shall I compare thee to a summer's day?\n" * 20)
    picture = write(music / f"cover{suffix}", b"\x89PNG\r\n\x1a\n" + bytes(100))
    for name, content in (("empty", b""), ("zeros", bytes(5_000)), ("noise", bytes(range(256)) * 20)):
        write(music / f"{name}{suffix}", content)
    found = find_music([music])
    assert found.skipped == {NO_AUDIO: [picture, text]}
    assert {"album/song.mp3", f"empty{suffix}", f"zeros{suffix}", f"noise{suffix}"} == {*paths(found, music)}
    assert find_music([text]).skipped == {NO_AUDIO: [text]}


def test_a_text_that_the_user_names_is_no_music(tmp_path: Path) -> None:
    found = find_music([write(tmp_path / "README", b"A text."), write(tmp_path / "cover.jpg")])
    assert found.music == []
    assert found.skipped == {NO_AUDIO: [tmp_path / "README"], COMPANIONS: [tmp_path / "cover.jpg"]}
