import json
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.features.contour import ContourTimes
from mfcc_assets.features.low_band import low_band_cepstra
from mfcc_assets.features.mfcc import compute_cepstra, cosine_weights
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.similarity import explain as explaining
from mfcc_assets.similarity.dtw.distance import DTW
from mfcc_assets.similarity.explain import SHORTEST_SECONDS, RandomPairs, explain, meaning, moment_differences
from mfcc_assets_tests import naive

PARAMETERS = CepstraParameters()
SCALES = np.linspace(1, 20, 13)

compiled_once = settings(max_examples=30)


def contour(frames, seed=0):
    rng = np.random.default_rng(seed)
    return (SCALES * (rng.normal(size=(frames, 13)).cumsum(axis=0) / 4 + rng.normal(size=13))).astype(np.float32)


def explained(a, b, random_pairs=None, times=None):
    return explain(
        a,
        b,
        SCALES,
        random_pairs or RANDOM_PAIRS,
        times=times or tuple(ContourTimes.even(max(1, len(track)), len(track) / 2) for track in (a, b)),
        parameters=PARAMETERS,
    )


RANDOM_PAIRS = RandomPairs.of([(contour(60, seed), contour(70, seed + 100)) for seed in range(40)], SCALES)

tracks = st.builds(contour, st.integers(1, 90), st.integers(0, 1000))


@compiled_once
@given(tracks, tracks)
def test_the_shares_of_all_coefficients_add_up_to_the_distance_of_the_ranking(a, b):
    why = explained(a, b)
    assert sum(coefficient.share for coefficient in why.coefficients) == pytest.approx(1 if why.distance else 0)
    assert why.distance == pytest.approx(naive.warped_distance(DTW, a, b, SCALES), rel=1e-12)


def test_the_only_coefficient_that_differs_has_the_whole_distance():
    a = contour(50)
    b = a.copy()
    b[:, 1] += 10
    assert [coefficient.share for coefficient in explained(a, b).coefficients] == [0, 1, *[0] * 11]


@compiled_once
@given(tracks)
def test_a_track_and_itself_are_one_stretch_along_the_diagonal(track):
    why = explained(track, track)
    seconds = len(track) / 2
    assert why.distance == 0
    assert why.control.closer_than == 1
    assert {coefficient.share for coefficient in why.coefficients} == {0}
    assert [(s.a_start, s.a_end, s.b_start, s.b_end) for s in why.stretches] == [(0, seconds, 0, seconds)]
    assert [list(point) for point in why.path] == [[i / 2 + 0.25] * 2 for i in range(len(track))]


@compiled_once
@given(tracks, tracks)
def test_stretches_lie_inside_both_tracks_and_last_long_enough(a, b):
    why = explained(a, b)
    for stretch in why.stretches:
        for start, end, track in ((stretch.a_start, stretch.a_end, a), (stretch.b_start, stretch.b_end, b)):
            assert 0 <= start < end <= len(track) / 2 + 1e-9
            assert end - start >= min(SHORTEST_SECONDS, len(track) / 2) - 1e-9
        assert 0 <= stretch.difference < RANDOM_PAIRS.close
        assert stretch.closer_than >= 1 - explaining.CLOSE_SHARE - 0.01


@compiled_once
@given(tracks, tracks)
def test_stretches_share_no_second(a, b):
    stretches = explained(a, b).stretches
    for spans in ([(s.a_start, s.a_end) for s in stretches], [(s.b_start, s.b_end) for s in stretches]):
        ordered = sorted(spans)
        assert all(end <= start + 1e-9 for (_, end), (start, _) in pairwise(ordered))


def test_a_common_passage_is_found_with_its_times():
    a, b = contour(100, seed=1), contour(150, seed=2)
    b[90:130] = a[20:60]
    times = ContourTimes.even(100, 50.5), ContourTimes.even(150, 75.0)
    first = explained(a, b, times=times).stretches[0]
    assert (first.a_start, first.a_end) == pytest.approx((10.1, 30.3), abs=1.1)
    assert first.b_start - first.a_start / 1.01 == pytest.approx(35, abs=0.1)
    assert first.difference < 0.1


def test_times_are_those_of_the_file_although_the_contour_leaves_out_silence():
    """The file of `b` has 30 s of silence before its music, and 100 s of silence after its first 20 s."""
    a = contour(100, seed=1)
    begins = 30 + np.arange(100) / 2 + 100 * (np.arange(100) >= 40)
    times = ContourTimes.even(100, 50.0), ContourTimes(begins, begins + 0.5, seconds=200.0)
    why = explained(a, a, times=times)
    assert [(s.a_start, s.a_end, s.b_start, s.b_end) for s in why.stretches] == [(0, 50, 30, 180)]
    assert why.path[0] == (0.25, 30.25)
    assert why.path[-1] == (49.75, 179.75)


def test_the_path_leads_from_the_beginning_to_the_end_of_both_tracks():
    path = np.array(explained(contour(40, 1), contour(90, 2)).path)
    assert path[0].tolist() == [0.25, 0.25]
    assert path[-1].tolist() == [19.75, 44.75]
    assert (np.diff(path, axis=0) >= 0).all()


def test_the_percentiles_of_the_random_pairs_are_evenly_spaced():
    distances = RANDOM_PAIRS.distances
    percentiles = [explained(contour(60, seed), contour(70, seed + 100)).control for seed in range(40)]
    assert sorted(percentile.closer_than for percentile in percentiles) == pytest.approx(np.arange(40) / 40)
    assert [percentile.ratio for percentile in percentiles] == pytest.approx(distances / np.median(distances))
    assert {percentile.random_pairs for percentile in percentiles} == {40}


def test_the_same_pairs_always_give_the_same_measurements():
    pairs = [(contour(60, 1), contour(70, 2)), (contour(60, 3), contour(50, 4))]
    first, second = RandomPairs.of(pairs, SCALES), RandomPairs.of(pairs, SCALES)
    np.testing.assert_array_equal(first.moments, second.moments)
    np.testing.assert_array_equal(first.contributions, second.contributions)


def test_there_is_no_ratio_if_all_random_pairs_are_copies():
    copies = RandomPairs.of([(contour(60), contour(60))], SCALES)
    assert explained(contour(60), contour(60), copies).control.ratio is None


def test_the_difference_of_moments_is_in_standard_deviations():
    a, b = np.zeros((3, 13)), np.tile(2 * SCALES, (4, 1))
    np.testing.assert_allclose(moment_differences(a, b, SCALES), np.full((3, 4), 2.0), rtol=1e-6)


def test_long_tracks_are_compared_more_coarsely():
    a, b = contour(1_200, 1), contour(1_500, 1)
    assert moment_differences(a[:1_000], b[:1_000], SCALES).shape == (1_000, 1_000)
    assert moment_differences(a, b, SCALES).shape == (600, 750)
    assert explained(a, a).stretches[0].a_end == pytest.approx(600)


def test_an_explanation_can_be_written_as_json():
    why = explained(contour(60, 1), contour(70, 2))
    assert json.loads(json.dumps(asdict(why)))["coefficients"][1]["name"] == "COE_2"


@pytest.mark.parametrize("number", range(2, 14))
def test_the_weights_of_a_coefficient_are_a_cosine_that_begins_positive(number):
    weights = cosine_weights(PARAMETERS)[:, number - 1]
    clear = weights[np.abs(weights) > 1e-6]
    assert (np.diff(np.sign(clear)) != 0).sum() == number - 1
    assert clear[0] > 0


def noise(low, high, seconds=0.5):
    """White noise between two frequencies."""
    samples = int(seconds * PARAMETERS.sample_rate)
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=samples))
    hertz = np.fft.rfftfreq(samples, 1 / PARAMETERS.sample_rate)
    return np.fft.irfft(spectrum * (1e-3 + ((low <= hertz) & (hertz < high))), samples).astype(np.float32)


def mean_cepstrum(signal):
    return low_band_cepstra(compute_cepstra([signal], PARAMETERS), PARAMETERS).mean(axis=0)


def test_only_the_first_coefficient_depends_on_the_level():
    assert meaning(1, PARAMETERS)[0] == "level"
    loud = noise(0, 22_050)
    halves = low_band_cepstra(compute_cepstra([np.concatenate([loud, loud / 2])], PARAMETERS), PARAMETERS)
    first, second = np.array_split(halves, 2)
    change = first[:-3].mean(axis=0) - second[3:].mean(axis=0)
    assert change[0] == pytest.approx(np.log(4), abs=0.05)
    np.testing.assert_allclose(change[1:], 0, atol=0.5)


def test_the_sign_of_the_second_coefficient_changes_at_the_frequency_in_its_meaning():
    assert meaning(2, PARAMETERS) == ("brightness", "energy below 2.0 kHz against energy above")
    dark, bright = mean_cepstrum(noise(50, 2_000)), mean_cepstrum(noise(2_000, 22_000))
    assert dark[1] > 0 > bright[1]


def test_the_third_coefficient_compares_the_middle_with_both_ends():
    assert meaning(3, PARAMETERS) == ("broad shape", "energy from 0.7 kHz to 4.5 kHz against energy below and above")
    assert mean_cepstrum(noise(700, 4_500))[2] < 0 < mean_cepstrum(noise(0, 700) + noise(4_500, 22_050))[2]


def test_higher_coefficients_describe_finer_shapes():
    meanings = [meaning(number, PARAMETERS) for number in range(3, 14)]
    assert [word for word, _ in meanings] == ["broad shape"] * 5 + ["fine shape"] * 6
    assert meanings[-1][1] == "spectrum along a cosine of 12 half-waves over the low band"


@pytest.mark.parametrize("bad", [np.zeros((0, 13)), np.full((3, 13), np.nan), np.zeros((3, 12))])
def test_an_invalid_contour_is_refused(bad):
    with pytest.raises(ValueError, match=r"expected|coefficients"):
        explained(bad, contour(20))
