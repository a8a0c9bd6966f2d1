"""Folders in place that are away: their soundtracks stay, and it is said."""

from pathlib import Path

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.away import sentences_on_away, sentences_on_shadowed
from mfcc_assets.pipeline.library_health import examine_soundtracks
from mfcc_assets.pipeline.music_files import container_files
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets.settings import Settings
from mfcc_assets_tests.audio_samples import write_tone
from mfcc_assets_tests.ordinary_user import as_ordinary_user


@pytest.fixture
def music(library: Library, tmp_path: Path) -> Path:
    """Make a folder in place with two songs that the library knows, beside another one with a song."""
    for number, place in enumerate(("Music/a/one.flac", "Music/b/two.flac", "Other/three.flac")):
        (tmp_path / place).parent.mkdir(parents=True)
        write_tone(tmp_path / place, 1.0 + number / 10)
    library.music_folders.add([tmp_path / "Music", tmp_path / "Other"])
    observe_soundtracks(library, library.shards, run_id="run")
    return tmp_path / "Music"


def names(library: Library) -> set[str]:
    return set(library.catalogue.track_ids())


@pytest.mark.parametrize("empty", [False, True])
def test_the_soundtracks_of_a_folder_that_is_away_stay(library: Library, music: Path, empty: bool) -> None:
    before = names(library)
    music.rename(music.with_name("unmounted"))
    if empty:
        music.mkdir()
    observation = observe_soundtracks(library, library.shards, run_id="run")
    reason = "has no music" if empty else "does not exist"
    assert observation.away == [f"{music} is away: it {reason}. Its 2 soundtracks stay in the library."]
    assert not observation.difference
    assert names(library) == before

    if empty:
        music.rmdir()
    music.with_name("unmounted").rename(music)
    observation = observe_soundtracks(library, library.shards, run_id="run")
    assert (observation.away, bool(observation.difference)) == ([], False)


def test_a_file_that_is_gone_from_a_folder_that_is_there_is_gone(library: Library, music: Path) -> None:
    (music / "a/one.flac").unlink()
    observation = observe_soundtracks(library, library.shards, run_id="run")
    assert (observation.difference.gone, observation.away) == (("Music/a/one.flac",), [])


def test_a_folder_that_may_not_be_read_is_away_and_the_rest_is_observed(library: Library, music: Path) -> None:
    (music / "a").chmod(0)
    (music / "b/two.flac").unlink()
    write_tone(music / "four.flac", 3.0)
    with as_ordinary_user():
        files = container_files(library)
        sentences = sentences_on_away(library, files)
    (music / "a").chmod(0o755)
    assert sentences == [
        f"{music / 'a'} is away: it cannot be read (Permission denied). Its soundtrack stays in the library."
    ]
    found = files.difference(library.catalogue.manifest(library.shards))
    assert (found.new, found.gone) == (("Music/four.flac",), ("Music/b/two.flac",))


@pytest.mark.usefixtures("music")
def test_what_lies_behind_a_broken_link_is_away(library: Library, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    write_tone(tmp_path / "disk/five.flac", 2.0)
    own = library.settings.blobs / "soundtracks"
    (own / "linked").symlink_to(tmp_path / "disk")
    observe_soundtracks(library, library.shards, run_id="run")
    before = names(library)
    assert "linked/five.flac" in before
    (tmp_path / "disk").rename(tmp_path / "unmounted")
    observation = observe_soundtracks(library, library.shards, run_id="run")
    assert names(library) == before
    assert observation.away == [f"{own / 'linked'} is away: it does not exist. Its soundtrack stays in the library."]
    (own / "linked").unlink()
    observe_soundtracks(library, library.shards, run_id="run")
    assert names(library) == before - {"linked/five.flac"}


def test_soundtracks_that_wait_on_a_disk_that_is_away_are_no_work_for_a_run(library: Library, music: Path) -> None:
    assert "waiting Music/a/one.flac" in outstanding_work(library)
    music.rename(music.with_name("unmounted"))
    work = outstanding_work(library)
    assert "waiting Other/three.flac" in work
    assert not [line for line in work if "Music/" in line]
    report = analyse_soundtracks(library, library.shards, run_id="run")
    assert (report.outcomes["Other/three.flac"], report.rejects) == ("computed", [])


def test_music_that_is_away_is_analysed_from_a_file_of_the_same_bytes(library: Library, music: Path) -> None:
    (music.with_name("Other") / "copy.flac").write_bytes((music / "a/one.flac").read_bytes())
    observe_soundtracks(library, library.shards, run_id="run")
    analyse_soundtracks(library, library.shards, run_id="run")
    for audio_id in library.catalogue.track_ids_by_audio():
        library.features.delete(audio_id, library.feature_parameters)
    music.rename(music.with_name("unmounted"))
    outcomes = analyse_soundtracks(library, library.shards, run_id="run").outcomes
    assert {outcomes[name] for name in ("Music/a/one.flac", "Other/copy.flac")} == {"computed", "reused"}
    assert outcomes["Music/b/two.flac"] == "unchanged"


def test_a_folder_that_is_forgotten_takes_its_soundtracks_along_and_keeps_its_files(
    library: Library, music: Path
) -> None:
    library.music_folders.forget(music)
    observe_soundtracks(library, library.shards, run_id="run")
    assert names(library) == {"Other/three.flac"}
    assert (music / "a/one.flac").exists()


@pytest.mark.usefixtures("music")
def test_files_in_a_folder_with_the_label_of_a_folder_in_place_are_named(library: Library) -> None:
    hidden = library.settings.blobs / "soundtracks/Music"
    (hidden / "b").mkdir(parents=True)
    write_tone(hidden / "b/dropped.flac", 4.0)
    sentence = (
        f"1 file in {hidden}, such as b/dropped.flac: a folder in place has the label Music, so this one is passed "
        "over. Move what it has to a folder of another name."
    )
    assert sentences_on_shadowed(library, container_files(library)) == [sentence]
    assert examine_soundtracks(library).faults == [sentence]


def test_a_folder_in_place_is_taken_whatever_its_name_is(library: Library, tmp_path: Path) -> None:
    recycled = tmp_path / "#recycle"
    recycled.mkdir()
    write_tone(recycled / "song.flac", 1.0)
    library.music_folders.add([recycled])
    observe_soundtracks(library, library.shards, run_id="run")
    assert names(library) == {"#recycle/song.flac"}


def test_a_folder_of_the_settings_whose_name_has_a_colon_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a:").mkdir()
    with Library(Settings(home=tmp_path / "home", music=f"{tmp_path}/a:/mnt/b")) as library:
        sentences = sentences_on_away(library, container_files(library))
    assert sentences[0] == (
        f"{tmp_path}/a is away: it does not exist. The library has no soundtracks of it. Colons separate folders; "
        "`mfcc add --in-place` takes a folder whose name has one."
    )


def test_a_run_remembers_the_folders_of_the_settings_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "Music").mkdir()
    with Library(Settings(home=tmp_path / "home", music=f"{tmp_path}/Music:{tmp_path}/Muisc")) as library:
        observe_soundtracks(library, library.shards, run_id="run")
    with Library(Settings(home=tmp_path / "home")) as library:
        assert library.music_folders.every() == {"Music": tmp_path / "Music"}
