"""Scores of rankings on a labelled set."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import UnknownRanking
from mfcc_assets.evaluation.labelled import LabelledSet
from mfcc_assets.evaluation.manifest import LabelledTrack, labels_of
from mfcc_assets.evaluation.metrics import ranked_by
from mfcc_assets.evaluation.scores import names_to_evaluate, score_rankings, scores_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_set
from mfcc_assets.similarity.rankings import RANKINGS
from mfcc_assets_tests import naive
from mfcc_assets_tests.audio_samples import encode, music, write_audio, write_music
from mfcc_assets_tests.evaluation.progress import ignore_progress


def test_rankings_are_named_one_by_one_or_all_and_the_random_ranking_comes_last() -> None:
    assert names_to_evaluate(["dtw"]) == ["dtw", "random"]
    assert names_to_evaluate(["random", "timbre", "dtw", "gaussian"]) == ["gaussian", "dtw", "random"]
    assert set(RANKINGS) < set(names_to_evaluate(["all"]))
    assert names_to_evaluate(["all"])[-1] == "random"
    assert names_to_evaluate(["dtw_uncorrected"]) == ["dtw_uncorrected", "random"]
    with pytest.raises(UnknownRanking, match="no such ranking"):
        names_to_evaluate(["dtw", "best"])


def test_every_ranking_is_scored_and_the_scores_are_always_the_same(labelled: LabelledSet) -> None:
    analysed = labelled.analyse(ignore_progress)
    names = names_to_evaluate(["all"])

    scores = score_rankings(analysed, names, labelled.parameters, ignore_progress)

    assert list(scores) == names
    assert score_rankings(analysed, names, labelled.parameters, ignore_progress) == scores
    assert {found.p_at_5 for found in scores.values()} == {1.0}, "all six are by one artist"
    assert {found.largest_count for found in scores.values()} == {5}
    assert {found.map_work for found in scores.values()} == {None}


def test_a_single_track_has_scores(library: Library, folder: Path) -> None:
    alone = labelled_set(library, folder, [LabelledTrack("0.flac", "Bach")])
    for found in score_rankings(
        alone.analyse(ignore_progress), names_to_evaluate(["all"]), alone.parameters, ignore_progress
    ).values():
        assert found.p_at_5 is None
        assert found.never_recommended == 1.0


@given(st.integers(1, 14), st.integers(0, 2**32 - 1))
def test_scores_equal_those_of_the_slow_twin(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 20, (count, count)).astype(float)
    tracks = [
        LabelledTrack(f"{number}.ogg", *(str(word) for word in rng.choice(["", "x", "y"], 3)))
        for number in range(count)
    ]

    found = scores_of(ranked_by(distances, [track.path for track in tracks]), tracks)

    labels = labels_of(tracks)
    expected = naive.scores(
        distances, [labels.get(track.path, "") for track in tracks], [track.work for track in tracks]
    )
    assert vars(found) == pytest.approx(expected, abs=1e-9)


def test_another_encoding_of_the_query_is_no_hit(library: Library, tmp_path: Path) -> None:
    signal = music(15.0, seed=0, sample_rate=48_000)
    write_audio(tmp_path / "0.flac", signal, 48_000)
    encode(tmp_path / "0.mp3", "libmp3lame", signal)
    encode(tmp_path / "0.opus", "libopus", signal)
    write_music(tmp_path / "1.flac", 15.0, seed=1)
    tracks = [LabelledTrack(name, "Bach") for name in ("0.flac", "0.mp3", "0.opus", "1.flac")]
    labelled = labelled_set(library, tmp_path, tracks)
    analysed = labelled.analyse(ignore_progress)
    assert len(set(analysed.recordings.values())) == 2
    scores = score_rankings(analysed, ["fused"], labelled.parameters, ignore_progress)["fused"]
    assert scores.p_at_1 is None, "two recordings make no label"
    assert scores.largest_count == 1
