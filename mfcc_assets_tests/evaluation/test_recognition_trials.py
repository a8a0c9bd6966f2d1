"""Trials of recognition with changed tracks."""

from pathlib import Path

import pytest

from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.evaluation.recognition_trials import CHANGES, Trial, try_recognition
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_set
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.evaluation.progress import ignore_progress


def trials_of(library: Library, folder: Path, seconds: dict[str, float]) -> dict[str, Trial]:
    for seed, (path, length) in enumerate(seconds.items()):
        write_music(folder / path, length, seed=seed)
    labelled = labelled_set(library, folder, [LabelledTrack(path) for path in seconds])
    return try_recognition(labelled, labelled.analyse(ignore_progress), ignore_progress)


def test_cut_faded_and_padded_tracks_are_recognised_and_never_taken_for_others(
    library: Library, tmp_path: Path
) -> None:
    trials = trials_of(library, tmp_path, {"a.ogg": 26.0, "b.ogg": 24.0})
    assert list(trials) == list(CHANGES)
    assert {trial.queries for trial in trials.values()} == {2}
    assert {trial.another_track for trial in trials.values()} == {0}
    # With more steady sound than music, a query is no part of its track.
    hits = {trial.own_track_first for name, trial in trials.items() if not name.endswith(("tone", "noise"))}
    assert hits == {1}


@pytest.mark.parametrize("seconds", [5.0, 19.0])
def test_tracks_that_are_shorter_than_a_part_are_not_changed(library: Library, tmp_path: Path, seconds: float) -> None:
    assert {trial.queries for trial in trials_of(library, tmp_path, {"a.ogg": seconds}).values()} == {0}
