"""The `mfcc` command as its user has it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mfcc_assets.cli.main import main
from mfcc_assets_tests.audio_samples import retag, write_music
from mfcc_assets_tests.runs import copied_home

LONG_TITLE = "A title of more than eighty characters, which a table of eighty columns would cut or wrap somewhere"


@pytest.fixture
def home(up_to_date_home: Path, tmp_path: Path) -> Path:
    """Home of a library of ten songs."""
    return copied_home(up_to_date_home, tmp_path / "home")


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return write_music(tmp_path / "query.flac", 3.0, seed=99)


def mfcc(home: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env={"MFCC_HOME": str(home)})


def test_a_library_is_made_from_a_folder_by_one_command(tmp_path: Path, ten_songs: list[Path]) -> None:
    home = tmp_path / "home"
    folder = tmp_path / "albums"
    folder.mkdir()
    for song in ten_songs[:3]:
        shutil.copy(song, folder)
    retag(folder / "song-0.flac", title=LONG_TITLE)
    (folder / "cover.jpg").write_bytes(b"a picture")
    (folder / "broken.mp3").write_bytes(b"not music")

    added = subprocess.run(
        [sys.executable, "-c", "from mfcc_assets.cli.main import main; main()", "add", str(folder)],
        env={**os.environ, "MFCC_HOME": str(home)},
        capture_output=True,
        text=True,
    )

    assert added.returncode == 0, added.stderr
    first, rejected, last = added.stdout.splitlines()
    assert first == "4 added, 0 replaced, 0 already there, 1 passed over (covers, playlists, hidden files)"
    assert rejected.startswith("rejected albums/broken.mp3: no decoder can read the file.")
    assert last.startswith("4 soundtracks: 3 analysed, 1 rejected; index ")
    assert LONG_TITLE in mfcc(home, "library").output, "no title is cut or wrapped where the output is no terminal"

    again = mfcc(home, "add", folder)
    assert again.exit_code == 0, again.output
    assert "0 added, 0 replaced, 4 already there, 1 passed over" in again.output


def test_recommendations_are_a_table(home: Path, query: Path) -> None:
    result = mfcc(home, "recommend", query)

    assert result.exit_code == 0, result.output
    assert result.output.startswith("query.flac: unknown\n")
    assert result.output.count("│ Song ") == 5
    assert re.search(r"Not certified: index [0-9a-f]{12} finds [0-9.]+% of the 5 nearest tracks\.", result.output)


def test_of_a_list_that_is_longer_than_those_measured_nothing_is_said(home: Path, query: Path) -> None:
    table = mfcc(home, "recommend", query, "--top", "6")
    answer = json.loads(mfcc(home, "recommend", query, "--top", "6", "--json").stdout)

    unknown = r"Not certified; how many of the 6 nearest tracks index [0-9a-f]{12} finds was not measured\."
    assert re.search(unknown, table.output)
    assert (answer["certified"], answer["recall"]) == (False, None)


def test_a_track_of_the_library_is_not_recommended_for_itself(home: Path, ten_songs: list[Path]) -> None:
    result = mfcc(home, "recommend", ten_songs[3], "--top", "9")

    assert result.output.startswith("song-3.flac: Song 3 by unknown (tags)\n")
    assert result.output.count("│ Song ") == 9
    assert "│ Song 3" not in result.output


def test_recommendations_are_json_for_programs(home: Path, query: Path, ten_songs: list[Path]) -> None:
    unknown = json.loads(mfcc(home, "recommend", "--json", query).stdout)
    known = json.loads(mfcc(home, "recommend", "--json", "--top", "2", ten_songs[3]).stdout)

    measured = {"index_version", "certified", "recall", "recommendations"}
    assert set(unknown) == {"query", "recognised", "recognition_failures"} | measured
    assert unknown["query"] == str(query)
    assert unknown["recognised"] is None
    assert known["recognised"] == {"title": "Song 3", "artist": "", "by": "tags"}
    assert not unknown["certified"]
    assert 0.9 <= unknown["recall"] <= 1
    assert [row["rank"] for row in unknown["recommendations"]] == [1, 2, 3, 4, 5]
    assert [set(row) for row in known["recommendations"]] == [{"rank", "track_id", "title", "artist", "distance"}] * 2
    distances = [row["distance"] for row in unknown["recommendations"]]
    assert distances == sorted(distances)


def test_a_service_that_cannot_be_asked_is_named_with_the_reason(
    home: Path, ten_songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFCC_RECOGNISERS", "audd,library,tags")
    table = mfcc(home, "recommend", ten_songs[3])
    answer = json.loads(mfcc(home, "recommend", "--json", ten_songs[3]).stdout)

    assert "not asked audd: " in table.output
    assert "MFCC_SECRET_AUDD_TOKEN" in table.output
    assert answer["recognised"] == {"title": "Song 3", "artist": "", "by": "tags"}
    assert [failure["by"] for failure in answer["recognition_failures"]] == ["audd"]


def test_an_answer_is_proven_where_that_is_asked_for(home: Path, query: Path) -> None:
    table = mfcc(home, "recommend", "--exact", query)
    answer = json.loads(mfcc(home, "recommend", "--exact", "--json", query).stdout)

    assert table.exit_code == 0, table.output
    assert table.output.endswith(
        f"Certified: the nearest tracks of index {answer['index_version']}, but for those that a list leaves out.\n"
    )
    assert (answer["certified"], answer["recall"]) == (True, None)
    assert [row["rank"] for row in answer["recommendations"]] == [1, 2, 3, 4, 5]


def test_the_library_is_shown_as_a_table(home: Path) -> None:
    result = mfcc(home, "library")

    assert result.exit_code == 0, result.output
    assert "10 soundtracks: 10 analysed" in result.output


def test_the_library_is_shown_as_json(home: Path) -> None:
    listing: dict[str, Any] = json.loads(mfcc(home, "library", "--json").stdout)

    assert set(listing) == {"soundtracks", "rejects", "duplicates", "outstanding"}
    assert {track["title"] for track in listing["soundtracks"]} == {f"Song {number}" for number in range(10)}
    assert listing["outstanding"] == []


def test_what_waits_for_a_run_is_told(home: Path) -> None:
    (home / "blobs" / "soundtracks" / "song-3.flac").unlink()

    assert "1 changes wait for a run, the first: gone song-3.flac" in mfcc(home, "library").output


def test_an_empty_library_is_told_in_a_sentence(tmp_path: Path, query: Path) -> None:
    result = mfcc(tmp_path / "nothing here", "recommend", query)

    assert result.exit_code == 1
    assert result.output == (
        "Error: there is no index to search yet. Add music with `mfcc add PATH`, or materialise the library.\n"
    )


def test_a_file_without_music_is_told_in_a_sentence(home: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.mp3").write_bytes(b"Dear reader")

    result = mfcc(home, "recommend", tmp_path / "letter.mp3")

    assert result.exit_code == 1
    assert result.output.startswith("Error: letter.mp3: no decoder can read the file.")


def test_a_wrong_setting_is_told_in_a_sentence(home: Path) -> None:
    result = CliRunner().invoke(main, ["library"], env={"MFCC_HOME": str(home), "MFCC_SHARD_DIGITS": "3"})

    assert result.exit_code == 1
    assert result.output == "Error: MFCC_SHARD_DIGITS: Input should be 1 or 2.\n"
