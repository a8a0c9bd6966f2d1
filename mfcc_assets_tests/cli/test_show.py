"""`mfcc show` as its user sees it."""

import json
from pathlib import Path

from mfcc_assets_tests.cli.commands import mfcc


def test_everything_about_a_track_is_shown(home: Path) -> None:
    track_id = json.loads(mfcc(home, "show", "Song 3", "--json").stdout)["track"]["track_id"]

    result = mfcc(home, "show", track_id)

    assert result.exit_code == 0, result.output
    lines = {line.split("  ")[0]: line for line in result.output.splitlines()}
    assert track_id in lines["track id"]
    assert "Song 3" in lines["title"]
    assert "analysed" in lines["state"]
    assert f"{home / 'blobs' / 'soundtracks' / 'song-3.flac'} (" in lines["file"]
    assert "stored, version " in lines["features"]
    assert "in index " in lines["index"]
    assert f"{home / 'blobs' / 'artworks' / track_id}." in lines["artwork"]
    assert result.output.count("Song ") == 6


def test_everything_about_a_track_is_shown_as_json(home: Path) -> None:
    report = json.loads(mfcc(home, "show", "song-3.flac", "--json").stdout)

    assert report["track"]["title"] == "Song 3"
    assert report["has_cepstra"]
    assert report["represented_by"] == report["track"]["track_id"]
    assert [row["rank"] for row in report["recommendations"]] == [1, 2, 3, 4, 5]


def test_a_file_that_is_gone_is_told(home: Path) -> None:
    (home / "blobs" / "soundtracks" / "song-3.flac").unlink()

    assert "song-3.flac is gone" in mfcc(home, "show", "Song 3").output
