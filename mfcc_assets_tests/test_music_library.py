"""The library as programs in Python have it: `from mfcc_assets import open_library`."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import pytest

import mfcc_assets
from mfcc_assets import MusicLibrary, NearTrack, Track, music_library, open_library
from mfcc_assets.errors import NoPublishedIndex, SettingsError, TrackNotFound, UnreadableAudio
from mfcc_assets.library import Library
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.settings import Settings
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import copied_home
from mfcc_assets_tests.services.processes import REPOSITORY

IMPORTS_NOTHING = """
import sys
import mfcc_assets
assert "mfcc_assets.music_library" not in sys.modules
from mfcc_assets import open_library
heavy = {"numpy", "sqlalchemy", "pydantic", "dagster", "flask", "matplotlib", "faiss"} & sys.modules.keys()
assert not heavy, heavy
"""


@pytest.fixture(scope="module")
def home(up_to_date_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied_home(up_to_date_home, tmp_path_factory.mktemp("opened") / "home")


@pytest.fixture
def songs(home: Path) -> Iterator[MusicLibrary]:
    with open_library(home) as library:
        yield library


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    return write_music(tmp_path / "unknown.flac", 3.0, seed=77)


def test_the_names_for_programs_are_fewer_than_ten_and_import_nothing_heavy():
    assert len(mfcc_assets.__all__) < 10
    assert [name for name in mfcc_assets.__all__ if not getattr(music_library, name).__doc__] == []
    assert set(mfcc_assets.__all__) <= set(dir(mfcc_assets))
    subprocess.run([sys.executable, "-c", IMPORTS_NOTHING], check=True)
    with pytest.raises(AttributeError, match="no attribute 'close_library'"):
        mfcc_assets.close_library  # noqa: B018  the attribute is the test


def test_tracks_have_their_tags_and_lead_to_their_files(songs: MusicLibrary):
    tracks = songs.tracks()
    assert [track.title for track in tracks] == [f"Song {number}" for number in range(10)]
    assert [track.path.name for track in tracks if track.path] == [f"song-{number}.flac" for number in range(10)]
    assert all(track.path and track.path.is_file() and track.seconds == pytest.approx(3) for track in tracks)
    assert songs.find("song 3") == tracks[3] == songs.find(tracks[3].track_id)


def test_a_file_gets_the_list_of_the_command(songs: MusicLibrary, home: Path, unknown: Path):
    found = songs.recommend(unknown, count=3)
    with Library(Settings(home=home)) as library:
        answer = recommend_file(library, unknown, count=3)

    assert [each.track.track_id for each in found.tracks] == [each.track_id for each in answer.recommendations]
    assert [each.distance for each in found.tracks] == [each.distance for each in answer.recommendations]
    assert [each.closer_than for each in found.tracks] == [each and each.closer_than for each in answer.nearness]
    assert (found.title, found.artist, found.recognised_by) == ("", "", "")
    assert len(songs.recommend(str(unknown)).tracks) == 5


def test_a_file_of_the_library_is_recognised_and_not_recommended(songs: MusicLibrary, ten_songs: list[Path]):
    found = songs.recommend(ten_songs[4])

    assert (found.title, found.recognised_by) == ("Song 4", "library")
    assert "Song 4" not in [each.track.title for each in found.tracks]


def test_neighbours_are_those_of_the_track_by_its_name_or_itself(songs: MusicLibrary):
    by_name = songs.neighbours("Song 2", count=8)

    assert by_name == songs.neighbours(songs.find("Song 2"), count=8)
    assert len({each.track.track_id for each in by_name}) == 8
    assert len(songs.neighbours("Song 2")) == 5
    for each in by_name:
        assert each.closer_than is not None
        assert 0 <= each.closer_than <= 1
        assert str(each) == f"{each.track.title} ({each.nearness})"


def test_an_explanation_has_the_distance_of_the_neighbour_and_sentences(songs: MusicLibrary):
    nearest = songs.neighbours("Song 2", count=1)[0]
    why = songs.explain("Song 2", nearest.track)

    assert why.distance == pytest.approx(nearest.distance, rel=1e-3)
    assert (why.closer_than, why.nearness) == (nearest.closer_than, nearest.nearness)
    assert why.sentences
    assert why.sentences[-1].startswith(f"As a whole they are {why.nearness}")
    assert sum(each.share for each in why.coefficients) == pytest.approx(1)
    assert [each.name for each in why.coefficients] == [f"COE_{number}" for number in range(1, 11)], (
        "the low band has 10"
    )


def test_a_file_is_explained_as_it_was_recommended_and_drawn(songs: MusicLibrary, unknown: Path):
    first = songs.recommend(unknown).tracks[0]
    why = songs.explain(unknown, first.track)

    assert why.distance == pytest.approx(first.distance, rel=1e-3)
    assert all(type(value) is str for value in (*why.sentences, why.nearness, first.nearness))
    for stretch in why.stretches:
        assert 0 <= stretch.a_start < stretch.a_end <= 3.1
    assert songs.draw(unknown, first.track).startswith(b"\x89PNG")


def test_a_path_leads_from_one_track_to_another(songs: MusicLibrary):
    path = songs.path("Song 1", "Song 8", steps=5)

    assert [path[0].track.title, path[-1].track.title, len(path)] == ["Song 1", "Song 8", 5]
    assert (path[0].distance, path[0].closer_than, path[0].nearness) == (0, None, "")
    for before, after in pairwise(path):
        assert after.distance == pytest.approx(songs.explain(before.track, after.track).distance, rel=1e-3)


def test_no_result_holds_a_number_or_a_text_of_another_library(songs: MusicLibrary):
    first = songs.neighbours("Song 0", count=1)[0]

    assert [type(getattr(first, field.name)) for field in fields(NearTrack)] == [Track, float, float, str]


def test_what_cannot_be_answered_raises_an_error_in_words(songs: MusicLibrary, tmp_path: Path):
    with pytest.raises(TrackNotFound, match="10 tracks match"):
        songs.neighbours("song")
    with pytest.raises(TrackNotFound, match="not in the library any more"):
        songs.neighbours(replace(songs.find("Song 1"), track_id="0" * 16))
    (tmp_path / "text.mp3").write_text("no music " * 100)
    with pytest.raises(UnreadableAudio):
        songs.recommend(tmp_path / "text.mp3")
    with pytest.raises(FileNotFoundError):
        songs.recommend(tmp_path / "missing.mp3")
    for ask in (lambda: songs.neighbours("Song 1", count=0), lambda: songs.path("Song 1", "Song 2", steps=1)):
        with pytest.raises(ValueError, match="must be at least"):
            ask()


def test_a_near_track_names_a_track_as_the_track_itself_does(songs: MusicLibrary):
    near = songs.neighbours("Song 2", count=1)[0]

    assert songs.neighbours(near) == songs.neighbours(near.track)
    assert songs.explain("Song 2", near) == songs.explain("Song 2", near.track)
    assert songs.path(near, "Song 2", steps=4) == songs.path(near.track, "Song 2", steps=4)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_folder_without_a_library_is_not_opened_and_stays_as_it_was(tmp_path: Path, is_there: bool):
    home = tmp_path / "mistyped"
    if is_there:
        home.mkdir()

    with pytest.raises(SettingsError, match=r"mistyped: there is no library in this folder\. Check the path"):
        open_library(home)
    assert list(tmp_path.rglob("*")) == ([home] if is_there else [])


def test_a_library_without_an_index_says_so(tmp_path: Path, unknown: Path):
    with Library(Settings(home=tmp_path / "home")) as new:
        assert new.catalogue.soundtracks() == []
    with open_library(tmp_path / "home") as library:
        assert library.tracks() == ()
        with pytest.raises(NoPublishedIndex):
            library.recommend(unknown)
        assert not list((tmp_path / "home").rglob("*.npz"))


def test_the_types_come_with_the_package_for_those_who_check_their_programs() -> None:
    # Without this file, mypy takes every name of an installed package as Any.
    assert (Path(mfcc_assets.__file__).parent / "py.typed").is_file()
    packaged = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert "py.typed" in packaged["mfcc_assets"]
