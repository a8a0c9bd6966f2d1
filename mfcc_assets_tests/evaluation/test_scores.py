"""Scores of rankings on a labelled set."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.audio.file_properties import FileProperties
from mfcc_assets.errors import UnknownRanking
from mfcc_assets.evaluation.labelled import LabelledSet
from mfcc_assets.evaluation.manifest import LabelledTrack, labels_of
from mfcc_assets.evaluation.metrics import ranked_by, without_copies
from mfcc_assets.evaluation.scores import file_distances, names_to_evaluate, rank_tracks, scores_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_set
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets.similarity.rankings import RANKINGS
from mfcc_assets_tests import naive
from mfcc_assets_tests.audio_samples import encode, music, write_audio, write_music
from mfcc_assets_tests.evaluation.progress import ignore_progress


def ranked(labelled: LabelledSet, *rankings: str) -> dict[str, dict[str, list[str]]]:
    """Return the ranked lists of recordings by each ranking."""
    analysed = labelled.analyse(ignore_progress)
    properties = labelled.file_properties(analysed.tracks, ignore_progress)
    tracks = Tracks.of(analysed.track_features, labelled.parameters)
    lists = rank_tracks(tracks, [track.path for track in analysed.tracks], rankings, properties)
    return {name: without_copies(found, analysed.recordings) for name, found in lists}


def test_rankings_are_named_one_by_one_or_all_and_the_floors_come_last() -> None:
    assert names_to_evaluate(["dtw"]) == ["dtw", "file", "random"]
    assert names_to_evaluate(["random", "gaussian", "dtw", "gaussian", "file"]) == ["gaussian", "dtw", "file", "random"]
    assert {*RANKINGS, "timbre_uncorrected"} < set(names_to_evaluate(["all"]))
    assert names_to_evaluate(["all"])[-2:] == ["file", "random"]
    assert names_to_evaluate(["dtw_uncorrected"]) == ["dtw_uncorrected", "file", "random"]
    with pytest.raises(UnknownRanking, match="no such ranking"):
        names_to_evaluate(["dtw", "best"])
    with pytest.raises(UnknownRanking, match="timbre_uncorrected"):
        names_to_evaluate(["timbre"])  # the former name of another ranking


def test_every_ranking_is_scored_and_the_scores_are_always_the_same(labelled: LabelledSet) -> None:
    names = names_to_evaluate(["all"])
    tracks = labelled.analyse(ignore_progress).tracks

    scores = scores_of(ranked(labelled, *names), tracks)

    assert list(scores) == names
    assert scores_of(ranked(labelled, *names), tracks) == scores
    assert {found.p_at_5 for found in scores.values()} == {1.0}, "all six are by one artist"
    assert {found.largest_count for found in scores.values()} == {5}
    assert {found.map_work for found in scores.values()} == {None}


def test_a_single_track_has_scores(library: Library, folder: Path) -> None:
    alone = labelled_set(library, folder, [LabelledTrack("0.flac", "Bach")])
    scores = scores_of(ranked(alone, *names_to_evaluate(["all"])), alone.analyse(ignore_progress).tracks)
    for found in scores.values():
        assert found.p_at_5 is None
        assert found.never_recommended == 1.0


def test_the_ranking_by_files_knows_their_properties_alone() -> None:
    files = [
        FileProperties("mp3", 44_100, 2, 128_000),
        FileProperties("mp3", 44_100, 2, 128_000),
        FileProperties("mp3", 48_000, 1, 256_000),
        FileProperties("opus", 44_100, 2, 64_000),
        FileProperties("opus", 44_100, 2, 0.0),
    ]
    assert file_distances(files)[0, :4] == pytest.approx([0.0, 0.0, 3.0, 2.0])
    np.testing.assert_array_equal(file_distances(files), file_distances(files).T)
    assert np.isfinite(file_distances(files)).all()


def test_rankings_are_compared_with_the_default_one_if_it_is_measured() -> None:
    tracks = [LabelledTrack(f"{number}", f"Artist {number % 2}") for number in range(6)]
    names = [track.path for track in tracks]
    right = {query: sorted(set(names) - {query}, key=lambda path: int(path) % 2 != int(query) % 2) for query in names}
    wrong = {query: found[::-1][:2] for query, found in right.items()}

    found = scores_of({"fused": right, "gaussian": wrong}, tracks)

    assert (found["fused"].above_default, found["fused"].above_default_high) == (0.0, 0.0)
    assert (found["fused"].p_at_5, found["fused"].p_at_5_over_labels) == pytest.approx((0.4, 0.4))
    assert found["gaussian"].above_default == pytest.approx(-0.4)
    assert scores_of({"gaussian": wrong}, tracks)["gaussian"].above_default is None


@given(st.integers(1, 14), st.integers(0, 2**32 - 1))
def test_scores_equal_those_of_the_slow_twin(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 20, (count, count)).astype(float)
    tracks = [
        LabelledTrack(f"{number}.ogg", *(str(word) for word in rng.choice(["", "x", "y"], 3)))
        for number in range(count)
    ]

    found = scores_of({"some": ranked_by(distances, [track.path for track in tracks])}, tracks)["some"]

    labels = labels_of(tracks)
    expected = naive.scores(
        distances, [labels.get(track.path, "") for track in tracks], [track.work for track in tracks]
    )
    assert {name: getattr(found, name) for name in expected} == pytest.approx(expected, abs=1e-9)


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
    scores = scores_of(ranked(labelled, "fused"), tracks)["fused"]
    assert scores.p_at_1 is None, "two recordings make no label"
    assert scores.largest_count == 1
