import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.similarity.dtw.kernels import Curves, bounded_distance, dtw_distances
from mfcc_assets.similarity.dtw.lower_bound import Envelope
from mfcc_assets_tests import naive

ROUNDED_OFF = 1e-5
"""The bound is lowered by less than this share for the rounding errors of tracks as short as these."""

lengths = st.integers(1, 20)
bands = st.none() | st.floats(0, 1, exclude_min=True)


# float32 adds whole numbers exactly, so the bound and the naive function differ only by the allowance for rounding.
@st.composite
def two_tracks(draw):
    n, m, coefficients = draw(lengths), draw(lengths), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    apart = draw(st.integers(0, 10))
    return rng.integers(-9, 9, (n, coefficients)) * 1.0, rng.integers(-9, 9, (m, coefficients)) * 1.0 + apart


def walks(seed, *lengths, coefficients=3):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((frames, coefficients)).cumsum(axis=0) for frames in lengths]


def bound(candidate, query, band):
    return Envelope(Curves(query)).bound(Curves(candidate), band=band)


@given(two_tracks(), bands)
def test_the_bound_of_a_coefficient_never_exceeds_its_distance(two, band):
    candidate, query = two
    truth = [naive.dtw(x, y, band)[-1, -1] for x, y in zip(candidate.T, query.T, strict=True)]
    assert (bound(candidate, query, band).distances <= truth).all()


@given(two_tracks(), bands, st.lists(st.floats(0, 100), min_size=3, max_size=3))
def test_the_weighted_sum_of_the_bounds_never_exceeds_the_weighted_sum_of_the_distances(two, band, drawn):
    candidate, query = two
    weights = np.array(drawn[: candidate.shape[1]])
    assert weights @ bound(candidate, query, band).distances <= naive.weighted_dtw(candidate, query, weights, band)


@given(st.integers(0, 2**32 - 1), lengths, lengths, bands)
def test_the_bound_never_exceeds_a_distance_with_rounding_errors(seed, n, m, band):
    candidate, query = walks(seed, m, n)
    distances = dtw_distances(candidate, query, band=band)
    assert (bound(candidate, query, band).distances <= distances).all()


@pytest.mark.parametrize("step", [0.1, 0.3, 1 / 3, 0.7])
def test_the_bound_never_exceeds_a_long_distance_whose_rounding_errors_have_the_same_sign(step):
    constant, apart = np.zeros((3_000, 1)), np.full((3_000, 1), step)
    assert bound(apart, constant, 0.1).distances[0] <= dtw_distances(apart, constant, band=0.1)[0]


@given(two_tracks(), bands)
def test_the_bound_is_lb_keogh_summed_frame_by_frame(two, band):
    candidate, query = two
    terms = naive.keogh(candidate, query, band)
    found = bound(candidate, query, band)
    np.testing.assert_allclose(found.distances, terms.sum(axis=0), rtol=ROUNDED_OFF)
    np.testing.assert_array_equal(found.remaining, [terms[i + 1 :].sum(axis=0) for i in range(len(candidate))])


@given(two_tracks(), bands)
def test_the_remaining_bound_never_exceeds_the_cost_of_the_best_path_after_a_frame(two, band):
    candidate, query = two
    remaining = bound(candidate, query, band).remaining
    for k in range(candidate.shape[1]):
        # Computed backwards, the accumulated cost of a cell is the cost of the best path from there to the end.
        to_the_end = naive.dtw(candidate[::-1, k], query[::-1, k], band)[::-1, ::-1]
        assert all(remaining[i, k] <= to_the_end[i + 1].min() for i in range(len(candidate) - 1))
    assert (remaining[-1] == 0).all()


@given(two_tracks(), bands)
def test_a_comparison_whose_distance_is_the_limit_does_not_stop_early(two, band):
    candidate, query = two
    weights = np.arange(1.0, candidate.shape[1] + 1)
    truth = naive.weighted_dtw(candidate, query, weights, band)
    remaining = bound(candidate, query, band).remaining
    found, _ = bounded_distance(Curves(candidate), Curves(query), weights, truth, band=band, remaining=remaining)
    assert found == truth


@pytest.mark.parametrize("band", [None, 0.1, 0.5])
def test_a_long_comparison_stops_early_beyond_the_limit_but_not_at_the_limit(band):
    candidate, query = walks(0, 200, 180)
    candidate += 30
    weights = np.array([1, 0.1, 3])
    pair = Curves(candidate), Curves(query), weights
    remaining = bound(candidate, query, band).remaining
    truth, _ = bounded_distance(*pair, np.inf, band=band)
    assert bounded_distance(*pair, truth, band=band, remaining=remaining)[0] == truth
    stopped, cells = bounded_distance(*pair, 0.5 * truth, band=band, remaining=remaining)
    assert stopped == np.inf
    assert cells < bounded_distance(*pair, 0.5 * truth, band=band)[1]


@given(two_tracks(), bands)
def test_the_bound_of_a_track_and_itself_is_0(two, band):
    track, _ = two
    found = bound(track, track, band)
    assert (found.distances == 0).all()
    assert (found.remaining == 0).all()


@pytest.mark.parametrize("band", [None, 0.05, 0.3, 1.0])
@pytest.mark.parametrize("frames", range(1, 21))
def test_least_and_greatest_values_are_right_for_every_range(frames, band):
    query = np.random.default_rng(frames).integers(-9, 9, (frames, 2)) * 1.0
    for length in range(1, 21):
        for beyond in (-100, 100):  # Below the query only its least values matter, above it only its greatest.
            candidate = np.full((length, 2), beyond) * 1.0
            terms = naive.keogh(candidate, query, band)
            found = bound(candidate, query, band)
            np.testing.assert_array_equal(found.remaining[:-1] - found.remaining[1:], terms[1:])
            np.testing.assert_allclose(found.distances - found.remaining[0], terms[0], rtol=100 * ROUNDED_OFF)


def test_a_wider_band_has_a_smaller_bound():
    candidate, query = walks(1, 60, 50)
    wider = [bound(candidate, query, band).distances.sum() for band in (0.02, 0.1, 0.5, None)]
    assert sorted(wider, reverse=True) == wider
    assert wider[0] > wider[-1]


def test_tracks_that_differ_in_coefficients_and_an_invalid_band_are_refused():
    envelope = Envelope(Curves(np.zeros((3, 2))))
    with pytest.raises(ValueError, match="3 and 2 coefficients"):
        envelope.bound(Curves(np.zeros((3, 3))), band=None)
    with pytest.raises(ValueError, match="band"):
        envelope.bound(Curves(np.zeros((3, 2))), band=0)
