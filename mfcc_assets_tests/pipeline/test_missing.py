"""Soundtracks that are missing at once, or whose disk is another one, are away. Others are deleted."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mfcc_assets.errors import SettingsError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.away import sentences_on_away
from mfcc_assets.pipeline.missing import files_and_missing, give_up
from mfcc_assets.pipeline.observe import Observation, observe_soundtracks
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets_tests.audio_samples import write_tone


@pytest.fixture
def music(library: Library, tmp_path: Path) -> Path:
    """Make a folder in place with six songs that the library knows, one of them renamed meanwhile."""
    folder = tmp_path / "Music"
    for number in range(6):
        (folder / f"{number % 2}").mkdir(parents=True, exist_ok=True)
        write_tone(folder / f"{number % 2}/{number}.flac", 1.0 + number / 10)
    library.music_folders.add([folder])
    observed(library)
    (folder / "0/0.flac").rename(folder / "0/renamed.flac")
    observed(library)
    return folder


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """Make a folder on another disk than that of the test."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def lies_on_another_disk(library: Library, folder: Path) -> None:
    """Let a library believe that a folder lay on another disk when it last looked."""
    record = library.music_disks.read()
    library.music_disks.write(replace(record, devices={**record.devices, str(folder): folder.stat().st_dev + 1}))


def observed(library: Library) -> Observation:
    return observe_soundtracks(library, library.shards, run_id="run")


def test_a_stray_file_in_the_place_of_an_unmounted_disk_removes_nothing(library: Library, music: Path) -> None:
    before = library.catalogue.track_ids()
    music.rename(music.with_name("unmounted"))
    write_tone(music.parent / "stray.flac", 3.0)
    music.mkdir()
    shutil.copy(music.parent / "stray.flac", music / "stray.flac")

    observation = observed(library)
    sentence = (
        f"{music} is away, at least in part: 6 of its soundtracks are missing at once, of 6. They stay in the library. "
        f"If they are gone for good, run `mfcc sync --accept {music}`."
    )
    assert observation.away == [sentence]
    assert (observation.difference.new, observation.difference.gone) == (("Music/stray.flac",), ())
    assert library.catalogue.track_ids().items() >= before.items()
    assert observed(library).away == [sentence.replace("of 6. They", "of 7. They")]
    assert not [line for line in outstanding_work(library) if line.startswith("gone")]

    shutil.rmtree(music)
    music.with_name("unmounted").rename(music)
    observation = observed(library)
    assert (observation.away, observation.difference.gone) == ([], ("Music/stray.flac",))
    assert library.catalogue.track_ids() == before


def test_missing_soundtracks_leave_the_library_when_its_owner_says_so(library: Library, music: Path) -> None:
    for song in [*music.rglob("*.flac")][:5]:
        song.unlink()
    assert len(observed(library).away) == 1
    with pytest.raises(SettingsError, match=f"no soundtracks are missing there. Name one of these folders: {music}"):
        give_up(library, music.parent / "other")

    assert give_up(library, music) == 5
    assert len([line for line in outstanding_work(library) if line.startswith("gone")]) == 5
    observation = observed(library)
    assert (len(observation.difference.gone), observation.away) == (5, [])
    assert library.music_disks.read().given_up == ()


def test_a_few_files_or_an_album_that_are_gone_are_gone(library: Library, music: Path) -> None:
    shutil.rmtree(music / "1")
    observation = observed(library)
    assert (len(observation.difference.gone), observation.away) == (3, [])
    assert len(library.catalogue.track_ids()) == 3


def test_a_folder_whose_files_all_moved_in_it_is_not_away(library: Library, music: Path) -> None:
    before = sorted(library.catalogue.track_ids().values())
    (music / "sorted").mkdir()
    for song in [*music.rglob("*.flac")]:
        song.rename(music / "sorted" / f"Song {song.name}")
    observation = observed(library)
    assert (len(observation.difference.renamed), observation.away) == (6, [])
    assert sorted(library.catalogue.track_ids().values()) == before


@pytest.mark.parametrize("leaves_folder", [False, True])
def test_a_disk_below_a_folder_in_place_that_is_unmounted_is_away(
    library: Library, music: Path, other_disk: Path, leaves_folder: bool
) -> None:
    (other_disk / "album").mkdir()
    write_tone(other_disk / "album/song.flac", 4.0)
    (music / "disk").symlink_to(other_disk)
    observed(library)
    before = library.catalogue.track_ids()
    assert "Music/disk/album/song.flac" in before

    (music / "disk").unlink()
    if leaves_folder:
        (music / "disk").mkdir()
    (music / "0/renamed.flac").unlink()
    for _ in range(2):
        observation = observed(library)
        assert observation.away == [
            f"{music / 'disk'} is away, at least in part: 1 of its soundtracks are missing, and another disk was there "
            f"before. They stay in the library. If they are gone for good, run `mfcc sync --accept {music / 'disk'}`."
        ]
    assert set(before) - set(library.catalogue.track_ids()) == {"Music/0/renamed.flac"}

    assert give_up(library, music / "disk") == 1
    assert observed(library).difference.gone == ("Music/disk/album/song.flac",)
    assert sentences_on_away(library, files_and_missing(library)) == []


def test_a_single_file_that_is_missing_from_another_disk_than_before_is_away(library: Library, music: Path) -> None:
    lies_on_another_disk(library, music)
    (music / "0/2.flac").unlink()
    assert f"{music} is away, at least in part: 1 of its soundtracks" in observed(library).away[0]
    assert len(library.catalogue.track_ids()) == 6


def test_a_file_of_the_library_itself_is_gone_on_whatever_disk_the_home_lies(library: Library, music: Path) -> None:
    own = library.settings.blobs / "soundtracks"
    (own / "own").mkdir()
    for number in range(6):
        write_tone(own / f"own/{number}.flac", 5.0 + number / 10)
    observed(library)
    lies_on_another_disk(library, music)
    assert str(own) not in library.music_disks.read().devices
    shutil.rmtree(own / "own")
    observation = observed(library)
    assert (len(observation.difference.gone), observation.away) == (6, [])


def test_a_folder_that_lies_on_another_disk_now_with_all_its_files_is_there(
    library: Library, music: Path, other_disk: Path
) -> None:
    shutil.copytree(music, other_disk / "Music", dirs_exist_ok=True)
    shutil.rmtree(music)
    music.symlink_to(other_disk / "Music")
    assert observed(library).away == []
    (music / "0/2.flac").unlink()
    assert observed(library).difference.gone == ("Music/0/2.flac",)
