"""`mfcc status` as its user sees it."""

import json
from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.cli.commands import mfcc


def test_the_state_of_a_library_is_shown_at_one_look(home: Path) -> None:
    (home / "blobs" / "soundtracks" / "song-3.flac").unlink()

    result = mfcc(home, "status")

    assert result.exit_code == 0, result.output
    lines = {line.split("  ")[0]: line for line in result.output.splitlines()}
    assert "10: 10 analysed; 0 h 00 min of music" in lines["soundtracks"]
    assert "answers, with 10 tracks, ranking fused, built 20" in lines["index"]
    assert "recall 100.0%" in lines["quality"]
    assert "1 change for a run, the first: gone song-3.flac" in lines["waiting"]
    assert "none" in lines["uploads"]
    assert "MB used (" in lines["disk"]
    assert "none yet" in lines["last run"]


def test_the_state_is_shown_as_json(home: Path) -> None:
    status = json.loads(mfcc(home, "status", "--json").stdout)

    assert status["home"] == str(home)
    assert status["states"] == {"analysed": 10, "waiting": 0, "rejected": 0}
    assert status["index"]["tracks"] == 10
    assert status["index"]["quality"]["recall"] == 1.0
    assert status["outstanding"] == []
    assert status["disk"]["soundtracks"] > 0
    assert status["last_run"] is None


def test_a_new_library_says_what_to_do_first(tmp_path: Path) -> None:
    shown = mfcc(tmp_path / "home", "status").output

    assert "none. Add music with `mfcc add PATH`" in shown
    assert "none yet, so there are no recommendations" in shown


def test_a_folder_in_place_that_is_away_is_told(home: Path, tmp_path: Path) -> None:
    with Library(Settings(home=home)) as library:
        library.music_folders.add([tmp_path / "not mounted"])

    shown = mfcc(home, "status").output

    assert f"in place     1 folder; away: {tmp_path / 'not mounted'}" in shown.replace("\n             ", " ")
