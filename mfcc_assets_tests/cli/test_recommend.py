"""`mfcc recommend` as its user sees it."""

import json
import re
from pathlib import Path

import pytest

from mfcc_assets_tests.cli.commands import mfcc


def test_recommendations_are_printed_as_a_table(home: Path, query: Path) -> None:
    result = mfcc(home, "recommend", query)

    assert result.exit_code == 0, result.output
    assert result.output.startswith("query.flac: unknown\n")
    assert result.output.count("│ Song ") == 5
    assert re.search(r"Not certified: index [0-9a-f]{12} finds [0-9.]+% of the 5 nearest tracks\.", result.output)


def test_the_recall_of_a_list_longer_than_those_measured_is_unknown(home: Path, query: Path) -> None:
    table = mfcc(home, "recommend", query, "--top", "6")
    answer = json.loads(mfcc(home, "recommend", query, "--top", "6", "--json").stdout)

    unknown = r"Not certified\. The recall of index [0-9a-f]{12} for 6 tracks was not measured\."
    assert re.search(unknown, table.output)
    assert (answer["certified"], answer["recall"]) == (False, None)


def test_a_track_of_the_library_is_not_recommended_for_itself(home: Path, ten_songs: list[Path]) -> None:
    result = mfcc(home, "recommend", ten_songs[3], "--top", "9")

    assert result.output.startswith("song-3.flac: Song 3 by unknown (tags)\n")
    assert result.output.count("│ Song ") == 9
    assert "│ Song 3" not in result.output


def test_recommendations_are_printed_as_json_for_programs(home: Path, query: Path, ten_songs: list[Path]) -> None:
    unknown = json.loads(mfcc(home, "recommend", "--json", query).stdout)
    known = json.loads(mfcc(home, "recommend", "--json", "--top", "2", ten_songs[3]).stdout)

    measured = {"index_version", "certified", "recall", "dtw_cells", "recommendations"}
    assert set(unknown) == {"query", "recognised", "recognition_failures"} | measured
    assert unknown["query"] == str(query)
    assert unknown["recognised"] is None
    assert known["recognised"] == {"title": "Song 3", "artist": "", "by": "tags"}
    assert not unknown["certified"]
    assert unknown["dtw_cells"] > 0
    assert 0.9 <= unknown["recall"] <= 1
    assert [row["rank"] for row in unknown["recommendations"]] == [1, 2, 3, 4, 5]
    assert [set(row) for row in known["recommendations"]] == [{"rank", "track_id", "title", "artist", "distance"}] * 2
    distances = [row["distance"] for row in unknown["recommendations"]]
    assert distances == sorted(distances)


def test_a_recognition_service_that_cannot_be_asked_is_named_with_the_reason(
    home: Path, ten_songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFCC_RECOGNISERS", "audd,library,tags")
    table = mfcc(home, "recommend", ten_songs[3])
    answer = json.loads(mfcc(home, "recommend", "--json", ten_songs[3]).stdout)

    assert "no answer audd: " in table.output
    assert "MFCC_SECRET_AUDD_TOKEN" in table.output
    assert answer["recognised"] == {"title": "Song 3", "artist": "", "by": "tags"}
    assert [failure["by"] for failure in answer["recognition_failures"]] == ["audd"]


def test_an_exact_answer_is_certified(home: Path, query: Path) -> None:
    table = mfcc(home, "recommend", "--exact", query)
    answer = json.loads(mfcc(home, "recommend", "--exact", "--json", query).stdout)

    assert table.exit_code == 0, table.output
    assert table.output.endswith(
        f"Certified: no other track of index {answer['index_version']} is nearer, "
        "except those that a list leaves out.\n"
    )
    assert (answer["certified"], answer["recall"]) == (True, None)
    assert [row["rank"] for row in answer["recommendations"]] == [1, 2, 3, 4, 5]
