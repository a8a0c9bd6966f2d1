"""In a library of two codings that differ much in treble, lists do not follow the coding: from files to lists.

Real mixtures of codings are measured by the benchmarks."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.evaluation.chains import one_chain
from mfcc_assets.evaluation.labelled import encoded_again
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.features.file_analysis import analyse_file
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import TrackFeatures, track_features_of
from mfcc_assets.similarity.pairwise import Comparison, Tracks
from mfcc_assets.similarity.rankings import RANKINGS, TIMBRE, Ranking

LIBRARY = Path(str(files("mfcc_assets.demo"))) / "library"
PARAMETERS = FeaturesParameters()
WHOLE_BAND = Ranking({TIMBRE: 1.0, "dtw": 0.25})
TRACKS, LISTED, DRAWS = 24, 5, 4


def with_treble(path: Path, folder: Path) -> Path:
    """Write a track with twice its sample rate. The starter library has nothing above 11 kHz.

    Zeros between the samples mirror the band at 11 kHz, and so bring the treble that the track might have had.
    """
    samples, rate = soundfile.read(path, always_2d=True)
    doubled = np.zeros(2 * len(samples))
    doubled[::2] = samples.mean(axis=1)
    written = folder / f"{path.stem}.wav"
    soundfile.write(written, doubled, 2 * rate)
    return written


def track_features(path: Path, *, is_encoded_again: bool) -> TrackFeatures:
    chain = one_chain(LabelledTrack(path.name, artist="", source="")) if is_encoded_again else None
    with encoded_again(path, chain) as file:
        analysis = analyse_file(file, PARAMETERS.cepstra, AudioLimits()).analysis
    return track_features_of(analysis, PARAMETERS)


@pytest.fixture(scope="module")
def tracks(tmp_path_factory) -> Tracks:
    """Tracks of the starter library as they are, and the same tracks encoded again behind them."""
    folder = tmp_path_factory.mktemp("tracks")
    paths = [with_treble(path, folder) for path in sorted(LIBRARY.glob("*.ogg"))[:TRACKS]]
    every = [(path, is_encoded_again) for is_encoded_again in (False, True) for path in paths]
    found = dict(on_all_cores(lambda each: track_features(each[0], is_encoded_again=each[1]), every))
    return Tracks.of([found[each] for each in every], PARAMETERS)


def share_of_own_coding(tracks: Tracks, ranking: Ranking) -> float:
    """Share of the listed tracks that have the query's coding, in libraries with half of the tracks encoded again."""
    shares = []
    for seed in range(DRAWS):
        is_encoded_again = np.random.default_rng(seed).permutation(TRACKS) < TRACKS // 2
        library = tracks.rows(np.arange(TRACKS) + TRACKS * is_encoded_again)
        nearest = np.argsort(Comparison(library).by_ranking(ranking), axis=1)[:, :LISTED]
        shares.append((is_encoded_again[nearest] == is_encoded_again[:, np.newaxis]).mean())
    return float(np.mean(shares))


def test_codings_that_differ_much_in_treble_do_not_decide_lists(tracks):
    by_chance = (TRACKS // 2 - 1) / (TRACKS - 1)
    assert share_of_own_coding(tracks, RANKINGS["fused"]) == pytest.approx(by_chance, abs=0.1)
    assert share_of_own_coding(tracks, WHOLE_BAND) > 0.9


def test_a_coding_that_cuts_the_treble_off_can_be_told_by_the_treble(tracks):
    treble = tracks.feature_table.treble
    assert (treble[:TRACKS] > treble[TRACKS:] + 2).all()
