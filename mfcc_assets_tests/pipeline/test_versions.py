"""Other performances of a piece are found, shown, and left out of a list on wish."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.errors import FeaturesMissing, NoHarmony
from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.pipeline.versions import find_versions
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.audio_samples import retag, write_audio
from mfcc_assets_tests.cli.commands import mfcc
from mfcc_assets_tests.damage import cut, damage, names
from mfcc_assets_tests.performances import OTHER_PIECE, PIECE, SAMPLE_RATE, performance
from mfcc_assets_tests.runs import copied_home, run_library

MANNERS = {
    "studio": (PIECE, {}),
    "live": (PIECE, {"seconds_per_chord": 1.8, "decay": 0.2}),
    "organ": (PIECE, {"semitones": 2, "overtones": 1, "decay": 0.0}),
    "other": (OTHER_PIECE, {}),
    "another": (PIECE[::-1], {"decay": 0.5}),
    "drone": (PIECE[:1] * 6, {"decay": 0.0}),
}


@pytest.fixture(scope="module")
def home_of_performances(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("performances")
    with Library(Settings(home=folder / "home", settle_seconds=0)) as library, dg.DagsterInstance.ephemeral() as run:
        for name, (roots, manner) in MANNERS.items():
            file = write_audio(folder / f"{name}.flac", performance(roots, **manner), SAMPLE_RATE)  # type: ignore[arg-type]
            retag(file, title=name.title(), artist=f"The {name}")
            library.blobs.upload_file("soundtracks", file.name, file)
        run_library(library, run)
    return folder / "home"


@pytest.fixture
def performances(home_of_performances: Path, settings: Settings) -> Iterator[Library]:
    copied_home(home_of_performances, settings.home)
    with Library(settings) as library:
        yield library


def test_other_performances_are_found_in_any_key_and_by_other_instruments(performances):
    found = {
        version.soundtrack.title: version for version in find_versions(performances, find_track(performances, "studio"))
    }
    assert set(found) == {"Live", "Organ"}
    assert (found["Live"].semitones, found["Organ"].semitones) == (0, 2)
    assert found["Live"].end - found["Live"].begin > 15


def test_the_harmony_is_analysed_once(performances):
    progress: list[tuple[int, int]] = []
    find_versions(performances, find_track(performances, "studio"), lambda *numbers: progress.append(numbers))
    assert progress[-1] == (6, 6)
    progress.clear()
    find_versions(performances, find_track(performances, "live"), lambda *numbers: progress.append(numbers))
    assert progress == []


def test_damaged_harmony_is_computed_again(performances, caplog):
    track = find_track(performances, "studio")
    found = find_versions(performances, track)
    stored = names(performances, "chroma/")
    for name in stored:
        damage(performances, name, cut)
    assert find_versions(performances, track) == found
    assert all(f"{CEPSTRA}/{name}" in caplog.text for name in stored)


def test_a_track_whose_file_is_gone_is_left_out_and_named(performances, caplog):
    performances.blobs.delete("soundtracks", "live.flac")
    found = find_versions(performances, find_track(performances, "studio"))
    assert [version.soundtrack.title for version in found] == ["Organ"]
    assert "live.flac is left out" in caplog.text
    with pytest.raises(FeaturesMissing, match=r"live\.flac"):
        find_versions(performances, find_track(performances, "live"))


def test_a_track_whose_harmony_does_not_change_cannot_be_compared(performances):
    with pytest.raises(NoHarmony, match="its harmony hardly changes"):
        find_versions(performances, find_track(performances, "drone"))


def test_a_list_leaves_other_performances_out_on_wish(performances, tmp_path):
    file = write_audio(tmp_path / "new.flac", performance(PIECE, seconds_per_chord=2.2, decay=0.7), SAMPLE_RATE)
    everything = recommend_file(performances, file, count=6)
    others = recommend_file(performances, file, count=6, without_versions=True)
    titles, without = (
        {answer.soundtracks[one.track_id].title for one in answer.recommendations} for answer in (everything, others)
    )
    assert {"Studio", "Live", "Organ"} & titles
    assert without == {"Other", "Another", "Drone"}


def test_the_command_shows_the_key_and_the_common_stretch(performances):
    home = performances.settings.folder
    shown = mfcc(home, "versions", "studio")
    assert shown.exit_code == 0, shown.output
    assert "Other performances of Studio:" in shown.output
    assert "2 semitones higher" in shown.output
    assert "No other performance of Other is in the library." in mfcc(home, "versions", "Other").output
    record = json.loads(mfcc(home, "versions", "studio", "--json").stdout)
    assert [version["title"] for version in record["versions"]] == ["Organ", "Live"]
