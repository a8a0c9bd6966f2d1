"""`mfcc sync` and `mfcc add --in-place` as the owner of a music folder sees them."""

import shutil
from pathlib import Path

import pytest

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.cli.commands import mfcc
from mfcc_assets_tests.ordinary_user import as_ordinary_user


@pytest.fixture
def music(ten_songs: list[Path], tmp_path: Path) -> Path:
    """Make a folder of four songs in two albums, which may only be read, with links that lead back."""
    folder = tmp_path / "Music"
    for number, album in enumerate(("A", "A", "B", "B")):
        (folder / album).mkdir(parents=True, exist_ok=True)
        shutil.copy(ten_songs[number], folder / album)
    (folder / "A/back").symlink_to("..")
    (folder / "cover.jpg").touch()
    (folder / "poem.mp3").write_text("Shall I compare thee to a summer's day?\n" * 20)
    return folder


def lines(output: str) -> list[str]:
    return output.splitlines()


def test_a_folder_is_the_library_from_its_first_use_to_its_last(music: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for folder in (music, music / "A", music / "B"):
        folder.chmod(0o555)
    with as_ordinary_user():
        added = mfcc(home, "add", "--in-place", music)
    for folder in (music, music / "A", music / "B"):
        folder.chmod(0o755)
    assert added.exit_code == 0, added.output
    first, changes, state, *skipped = lines(added.stdout)
    assert first == f"In place: {music}, whose soundtracks are called Music/…"
    assert changes == "4 new, 0 changed, 0 renamed, 0 gone"
    assert state.startswith("4 soundtracks: 4 analysed; index ")
    assert skipped == [
        "skipped 1: covers, playlists and texts (cover.jpg)",
        "skipped 1: files without audio (poem.mp3)",
        "skipped 1: links that lead back, or to what is taken already (back)",
    ]
    with Library(Settings(home=home)) as library:
        before = library.catalogue.track_ids()
        assert list((library.settings.blobs / "soundtracks").rglob("*.flac")) == [], "nothing was copied"

    exported = mfcc(home, "path", "Song 0", "Song 3", "--steps", "4", "--export", tmp_path / "list.m3u8")
    assert exported.exit_code == 0, exported.output
    paths = [line for line in (tmp_path / "list.m3u8").read_text().splitlines() if not line.startswith("#")]
    assert sorted(paths) == sorted(map(str, music.rglob("*.flac")))

    (music / "A/song-0.flac").rename(music / "B/renamed.flac")
    synced = mfcc(home, "sync")
    assert lines(synced.stdout) == ["0 new, 0 changed, 1 renamed, 0 gone", state], "the index is still the same"
    with Library(Settings(home=home)) as library:
        after = library.catalogue.track_ids()
    assert after.pop("Music/B/renamed.flac") == before.pop("Music/A/song-0.flac")
    assert after == before

    music.rename(tmp_path / "unmounted")
    away = mfcc(home, "add")
    sentence = f"away {music} is away: it does not exist. Its 4 soundtracks stay in the library."
    assert lines(away.stdout) == ["0 new, 0 changed, 0 renamed, 0 gone", sentence, state]

    assert "song-1.flacisaway,asitsdiskis" in "".join(mfcc(home, "show", "Song 1").stdout.split())
    exported = mfcc(home, "path", "Song 0", "Song 3", "--steps", "4", "--export", tmp_path / "list.m3u8")
    assert "4 of their files are not there now, so a player cannot play them. `mfcc status`" in exported.stderr

    moved = mfcc(home, "add", "--in-place", tmp_path / "unmounted", "--forget", music)
    assert lines(moved.stdout)[-5:] == ["0 new, 0 changed, 4 renamed, 0 gone", state, *skipped]


def test_what_is_no_folder_in_place_is_refused_with_one_sentence(music: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for arguments, sentence in (
        (["add", "--in-place"], "Error: --in-place needs a folder. Name the folders of your music."),
        (["add", "--in-place", music / "cover.jpg"], "it is not a folder. Name the folder that it lies in."),
        (["add", "--in-place", home], "this folder lies in the library itself. Name a folder outside of MFCC_HOME."),
        (
            ["sync", "--forget", music],
            "does not use this folder in place. Name one of these folders: none.",
        ),
    ):
        home.mkdir(exist_ok=True)
        refused = mfcc(home, *arguments)
        assert (refused.exit_code, len(lines(refused.output))) == (1, 1)
        assert refused.output.rstrip().endswith(sentence)


def test_what_is_passed_over_and_what_is_missing_is_told(music: Path, tmp_path: Path, ten_songs: list[Path]) -> None:
    home = tmp_path / "home"
    for song in ten_songs[4:8]:
        shutil.copy(song, music / "B")
    assert mfcc(home, "add", "--in-place", music).exit_code == 0
    music.rename(tmp_path / "unmounted")
    music.mkdir()
    shutil.copy(ten_songs[9], music)
    hidden = home / "blobs/soundtracks/Music"
    hidden.mkdir()
    shutil.copy(ten_songs[8], hidden)

    changes, away, passed_over, state = lines(mfcc(home, "sync").stdout)
    assert changes == "1 new, 0 changed, 0 renamed, 0 gone"
    assert away.startswith(f"away {music} is away, at least in part: 8 of its soundtracks are missing at once, of 9.")
    assert passed_over.startswith(f"passed over 1 file in {hidden}, such as {ten_songs[8].name}: ")
    assert state.startswith("9 soundtracks: 9 analysed; ")

    accepted = lines(mfcc(home, "sync", "--accept", music).stdout)[:2]
    assert accepted == [f"Gone for good: 8 missing soundtracks of {music}", "0 new, 0 changed, 0 renamed, 8 gone"]
