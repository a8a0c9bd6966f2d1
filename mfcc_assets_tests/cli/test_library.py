"""`mfcc library` as its user sees it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import Reject
from mfcc_assets_tests.cli.commands import mfcc

SONG_3 = "Song 3"


def test_the_library_is_shown_as_a_table(home: Path) -> None:
    result = mfcc(home, "library")

    assert result.exit_code == 0, result.output
    assert "10 soundtracks: 10 analysed" in result.output


def test_the_library_is_shown_as_json(home: Path) -> None:
    listing: dict[str, Any] = json.loads(mfcc(home, "library", "--json").stdout)

    assert set(listing) == {"matching", "soundtracks", "rejects", "duplicates", "outstanding"}
    assert {track["title"] for track in listing["soundtracks"]} == {f"Song {number}" for number in range(10)}
    assert listing["outstanding"] == []


def test_the_library_shows_what_waits_for_a_run(home: Path) -> None:
    (home / "blobs" / "soundtracks" / "song-3.flac").unlink()

    assert "1 change waits for a run, the first: gone song-3.flac" in mfcc(home, "library").output


def test_tab_separated_lines_have_a_line_of_names_and_whole_ids(home: Path) -> None:
    names, *lines = [line.split("\t") for line in mfcc(home, "library", "--tsv").stdout.splitlines()]

    assert names == ["track_id", "title", "artist", "album", "seconds", "state", "note", "file"]
    assert [line[1] for line in lines] == [f"Song {number}" for number in range(10)]
    assert {len(line[0]) for line in lines} == {16}


def test_a_part_of_the_library_is_chosen_and_sorted(home: Path) -> None:
    assert _titles(home, "--search", "SONG 3") == [SONG_3]
    assert _titles(home, "--search", "song-3.flac") == [SONG_3]
    assert _titles(home, "--artist", "nobody") == []
    assert _titles(home, "--state", "rejected") == []
    assert _titles(home, "--sort", "title", "--reverse", "--limit", "2", "--offset", "1") == ["Song 8", "Song 7"]


def test_a_page_says_which_part_of_the_library_it_shows(home: Path) -> None:
    assert (
        "10 of 10 soundtracks match. Shown are 3 to 4 of 10."
        in mfcc(home, "library", "--limit", "2", "--offset", "2").output
    )
    assert "0 of 10 soundtracks match." in mfcc(home, "library", "--search", "no such words").output


def test_the_rejects_are_shown_with_their_reasons(home: Path) -> None:
    with Library(Settings(home=home)) as library:
        reject = Reject(TrackId("0" * 16), "soundtracks", "broken.mp3", "unreadable", "broken.mp3: it is a text.")
        library.catalogue.record_reject(reject, run_id="run")

    shown = mfcc(home, "library", "--rejects").output
    assert "broken.mp3: it is a text." in shown
    assert "1 rejected file." in shown
    assert json.loads(mfcc(home, "library", "--rejects", "--json").stdout)["rejects"][0]["code"] == "unreadable"
    assert mfcc(home, "library", "--rejects", "--tsv", "--search", "text").stdout.splitlines()[1].startswith("0" * 16)
    assert json.loads(mfcc(home, "library", "--rejects", "--json", "--search", "other").stdout)["matching"] == 0
    assert mfcc(home, "library", "--rejects", "--artist", "x").exit_code == 2


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_ids_are_whole_in_a_terminal_of_any_width(home: Path, columns: int) -> None:
    ids = [track["track_id"] for track in json.loads(mfcc(home, "library", "--json").stdout)["soundtracks"]]

    shown = _in_a_terminal(home, columns=columns, lines=100)

    assert all(track_id in shown for track_id in ids)
    assert "…" not in shown


def test_states_and_lengths_are_whole_in_a_narrow_terminal(home: Path) -> None:
    tracks = json.loads(mfcc(home, "library", "--json").stdout)["soundtracks"]

    shown = _in_a_terminal(home, columns=60, lines=100)

    rows = [line for line in shown.splitlines() if any(track["track_id"] in line for track in tracks)]
    assert len(rows) == len(tracks)
    assert all("analysed" in row or "rejected" in row for row in rows)


def test_a_list_that_is_longer_than_the_terminal_goes_through_a_pager(home: Path) -> None:
    assert "the pager has " not in _in_a_terminal(home, columns=80, lines=100)
    assert "the pager has 18 lines" in _in_a_terminal(home, columns=80, lines=10)


def test_a_pager_that_shows_no_colours_unless_it_is_told_to_is_told_to(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LESS", raising=False)

    assert "called with LESS=-R" in _in_a_terminal(home, columns=80, lines=10)


def _titles(home: Path, *options: str) -> list[str]:
    return [line.split("\t")[1] for line in mfcc(home, "library", "--tsv", *options).stdout.splitlines()[1:]]


def _in_a_terminal(home: Path, *, columns: int, lines: int) -> str:
    """Run `mfcc library` in a terminal of this size, with a pager that counts lines and is called as `less` is."""
    pager = home.parent / "less"
    pager.write_text('#!/bin/sh\necho "the pager has $(wc -l) lines, and is called with LESS=$LESS"\n')
    pager.chmod(0o755)
    ours, theirs = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": str(lines), "TERM": "xterm", "PAGER": str(pager)}
    with subprocess.Popen(
        [sys.executable, "-c", "from mfcc_assets.cli.main import main; main()", "library"],
        env={**os.environ, **size, "MFCC_HOME": str(home)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while read := os.read(ours, 1 << 16):
                shown += read
        except OSError:
            pass  # the terminal was closed at its other end
        os.close(ours)
    assert process.returncode == 0
    return shown.decode()
