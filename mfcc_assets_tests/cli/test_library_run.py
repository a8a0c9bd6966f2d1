"""A first load by `mfcc add`, stage after stage: answers before its end, its progress, and what a kill leaves."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.settings import Settings
from mfcc_assets_tests.cli.commands import mfcc

COMMAND = [sys.executable, "-c", "from mfcc_assets.cli.main import main; main()"]
PHASES = {
    "Starting a Dagster run",
    "Reading tags",
    "Analysing audio",
    "Computing track features",
    "Computing waveforms",
    "Building the index",
    "Reading features",
    "Measuring usual distances",
    "Finding candidates",
    "Ranking",
    "Measuring quality",
    "Writing recommendations",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_an_index_answers_before_the_last_file_is_analysed(
    home: Path, ten_songs: list[Path], up_to_date_home: Path
) -> None:
    with Library(Settings(home=home)) as library, _adding(home, *ten_songs) as process:
        _wait_until(lambda: library.indexes.published_version() is not None, process)
        early = recommend_file(library, ten_songs[0], count=3)
        answer = mfcc(home, "recommend", ten_songs[0])
        record = json.loads(mfcc(home, "recommend", ten_songs[0], "--json").stdout)
        output, progress = process.communicate()
        late = recommend_file(library, ten_songs[0], count=3)
        final = [len(library.indexes.read(one.version).tracks) for one in library.indexes.history()]

        assert str(early.coverage) == "5 of 10 tracks"
        assert len(early.recommendations) == 3
        assert "\nFrom 5 of 10 tracks so far.\n" in answer.output
        assert (record["indexed_tracks"], record["library_tracks"]) == (5, 10)
        assert re.search(r"^Index [0-9a-f]{12} answers from 5 of 10 tracks so far\.$", output, re.MULTILINE)
        # A line comes every few seconds, so which phases are seen depends on how fast the machine is.
        assert {line.partition(":")[0] for line in progress.splitlines()} <= PHASES, progress
        assert progress, "a program reads lines, where a terminal shows a bar"
        assert final == [5, 10]
        assert not late.coverage.is_partial
        assert outstanding_work(library) == []
        with Library(Settings(home=up_to_date_home)) as at_once:
            # A small library is calibrated at every change, as if all files had been there at once.
            assert library.indexes.published_version() == at_once.indexes.published_version()
            assert _lists(library) == _lists(at_once)


def test_a_load_that_is_killed_in_the_middle_and_started_again_ends_complete(
    home: Path, ten_songs: list[Path], up_to_date_home: Path
) -> None:
    with Library(Settings(home=home)) as library:
        with _adding(home, *ten_songs) as process:
            _wait_until(lambda: library.catalogue.progress()[0] > 5, process)
            os.killpg(process.pid, signal.SIGKILL)
        assert "so far." in mfcc(home, "recommend", ten_songs[0]).output
        terminal, end = pty.openpty()
        with _adding(home, stderr=end) as again:
            os.close(end)
            shown = _everything_from(terminal)

        assert again.returncode == 0
        assert any(phase in shown for phase in PHASES), "a terminal shows the progress"
        assert re.search(r"\d+ of \d+ (files|shards)", shown), shown
        assert outstanding_work(library) == []
        with Library(Settings(home=up_to_date_home)) as at_once:
            assert _lists(library) == _lists(at_once)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_load_that_is_interrupted_says_what_is_kept_and_what_goes_on(
    number: signal.Signals, home: Path, ten_songs: list[Path]
) -> None:
    with Library(Settings(home=home)) as library, _adding(home, *ten_songs) as process:
        _wait_until(lambda: library.catalogue.progress()[1] > 0, process)
        os.killpg(process.pid, number)
        _, errors = process.communicate()

    assert "The run was stopped. What is analysed is kept, and `mfcc sync` goes on from there.\n" in errors
    assert json.loads(mfcc(home, "status", "--json").stdout)["last_run"]["outcome"] == "was stopped"
    assert "0 new, 0 changed, 0 renamed, 0 gone" in mfcc(home, "sync").stdout


def _adding(home: Path, *paths: Path, stderr: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "add", *paths],
        env={**os.environ, "MFCC_HOME": str(home), "MFCC_FIRST_INDEX_TRACKS": "5", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


def _wait_until(holds: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    while not holds():
        assert process.poll() is None, "the command ended too early"
        time.sleep(0.02)


def _everything_from(terminal: int) -> str:
    read = b""
    while True:
        try:
            portion = os.read(terminal, 65_536)
        except OSError:  # the other end was closed
            return read.decode()
        read += portion


def _lists(library: Library) -> dict[str, list[tuple[str, float]]]:
    return {
        track.blob_name: [(row.track_id, row.distance) for row in library.recommendations.recommended(track.track_id)]
        for track in library.catalogue.soundtracks()
        if track.audio_id
    }
