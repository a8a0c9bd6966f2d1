"""`mfcc library` as its user sees it."""

import json
from pathlib import Path
from typing import Any

from mfcc_assets_tests.cli.commands import mfcc


def test_the_library_is_shown_as_a_table(home: Path) -> None:
    result = mfcc(home, "library")

    assert result.exit_code == 0, result.output
    assert "10 soundtracks: 10 analysed" in result.output


def test_the_library_is_shown_as_json(home: Path) -> None:
    listing: dict[str, Any] = json.loads(mfcc(home, "library", "--json").stdout)

    assert set(listing) == {"soundtracks", "rejects", "duplicates", "outstanding"}
    assert {track["title"] for track in listing["soundtracks"]} == {f"Song {number}" for number in range(10)}
    assert listing["outstanding"] == []


def test_the_library_shows_what_waits_for_a_run(home: Path) -> None:
    (home / "blobs" / "soundtracks" / "song-3.flac").unlink()

    assert "1 changes wait for a run, the first: gone song-3.flac" in mfcc(home, "library").output
