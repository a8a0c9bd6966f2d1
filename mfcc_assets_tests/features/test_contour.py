"""The contour of a track, and the times at which its frames sound in their file.

Three frames at each edge of silence are left out with it, so the tests make the silence that much shorter.
"""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.features.contour import ContourTimes, contour_of, rounded
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.silence import sounding_frames

PARAMETERS = FeaturesParameters()
STEP_SECONDS = PARAMETERS.cepstra.step_seconds
SILENT = -36.0


def cepstra_of(*energies_and_frames: tuple[float, int]) -> np.ndarray:
    """Return cepstra whose second coefficient is the time in the file at the middle of the frame."""
    energies = np.concatenate([np.full(frames, float(energy)) for energy, frames in energies_and_frames])
    energies += 0.4 * (-1.0) ** (np.arange(len(energies)) // 10)
    times = (np.arange(len(energies)) + 0.5) * STEP_SECONDS
    return np.column_stack([energies, times, np.zeros((len(energies), 11))]).astype(np.float32)


def times_of(cepstra: np.ndarray, contour_rate: float = 2.0) -> ContourTimes:
    parameters = FeaturesParameters(contour_rate=contour_rate)
    return ContourTimes.of(cepstra, parameters, seconds=len(cepstra) * STEP_SECONDS)


@given(st.integers(1, 700), st.sampled_from([0.3, 1.0, 2.0, 7.0, 100.0, 250.0]))
def test_a_contour_equals_that_of_the_slow_twin(frames: int, contour_rate: float) -> None:
    cepstra = np.random.default_rng(frames).normal(size=(frames, 13)).astype(np.float32)
    length = 100 / Fraction(str(contour_rate))
    count = min(frames, max(1, round(frames / length)))
    edges = [math.floor(number * max(Fraction(1), length)) for number in range(count)] + [frames]
    slow = [cepstra[begin:end].mean(axis=0) for begin, end in pairwise(edges)]
    found = contour_of(cepstra, FeaturesParameters(contour_rate=contour_rate))
    np.testing.assert_allclose(found, slow, rtol=1e-4, atol=1e-5)


@given(st.integers(75, 700), st.integers(0, 600))
def test_more_frames_at_the_end_change_only_the_last_frame_of_a_contour(frames: int, more: int) -> None:
    cepstra = np.random.default_rng(frames).normal(size=(frames + more, 13)).astype(np.float32)
    shorter, longer = contour_of(cepstra[:frames], PARAMETERS), contour_of(cepstra, PARAMETERS)
    np.testing.assert_array_equal(longer[: len(shorter) - 1], shorter[:-1])


@given(st.integers(1, 60), st.floats(0.01, 1_000))
def test_a_rounded_contour_is_what_an_index_holds(frames: int, loudness: float) -> None:
    contour = np.random.default_rng(frames).normal(0, loudness, (frames, 10)).astype(np.float32)
    found = rounded(contour)
    np.testing.assert_array_equal(found, rounded(found))
    np.testing.assert_array_equal(found, found.astype(np.float16))
    np.testing.assert_allclose(found, contour, rtol=2**-11, atol=2**-24)


@pytest.mark.parametrize("cepstra", [np.empty((0, 13)), np.ones(13)])
def test_a_contour_of_no_frames_is_refused(cepstra: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        contour_of(cepstra, PARAMETERS)


def test_a_file_without_silence_is_divided_evenly() -> None:
    times = times_of(cepstra_of((-2, 400)))
    np.testing.assert_allclose(times.begins, np.arange(8) / 2)
    np.testing.assert_allclose(times.ends, np.arange(1, 9) / 2)


def test_silence_is_between_the_frames() -> None:
    times = times_of(cepstra_of((SILENT, 997), (-2, 106), (SILENT, 294), (-2, 106), (SILENT, 47)))
    np.testing.assert_allclose(times.begins, [10, 10.5, 14, 14.5])
    np.testing.assert_allclose(times.ends, [10.5, 11, 14.5, 15])
    assert times.sounding_seconds == pytest.approx(2)


def test_a_frame_with_silence_in_its_midst_takes_the_times_of_its_larger_part() -> None:
    times = times_of(cepstra_of((-2, 133), (SILENT, 994), (-2, 173)), contour_rate=1)
    np.testing.assert_allclose(times.begins, [0, 11, 12])
    np.testing.assert_allclose(times.ends, [1, 12, 13])


def test_a_span_ends_before_the_silence_and_the_next_begins_behind_it() -> None:
    times = times_of(cepstra_of((-2, 103), (SILENT, 294), (-2, 103)))
    assert times.end_at(np.array([2.0])) == pytest.approx(1)
    assert times.begin_at(np.array([2.0])) == pytest.approx(4)
    assert times.begin_at(np.array([2.5])) == times.end_at(np.array([2.5])) == pytest.approx(4.25)
    assert times.end_at(np.array([4.0])) == pytest.approx(5)


def test_rows_are_spread_over_the_file_with_gaps_where_it_is_silent() -> None:
    times = times_of(cepstra_of((SILENT, 297), (-2, 206), (SILENT, 197)))
    spread = times.spread(np.array([[1.0], [2.0]]), 14)[:, 0]
    np.testing.assert_array_equal(spread, [*[np.nan] * 6, 1, 1, 2, 2, *[np.nan] * 4])


@given(
    st.lists(st.tuples(st.sampled_from([SILENT, -2.0]), st.integers(1, 500)), min_size=1, max_size=8).filter(
        lambda stretches: any(energy == -2 for energy, _ in stretches)
    )
)
def test_the_times_of_a_frame_are_around_its_mean_time(stretches: list[tuple[float, int]]) -> None:
    cepstra = cepstra_of(*stretches)
    kept = cepstra[sounding_frames(cepstra)]
    times, means = times_of(cepstra), contour_of(kept, PARAMETERS)[:, 1]
    assert len(times.begins) == len(means)
    assert (times.begins >= 0).all()
    assert (times.ends <= times.seconds + 1e-6).all()
    assert (np.diff(times.begins) > 0).all()
    assert times.sounding_seconds == pytest.approx(len(kept) * STEP_SECONDS)
    # A frame that is not in one piece has silence in its midst, so there are no more of them than pauses.
    in_pieces = np.abs((times.begins + times.ends) / 2 - means) > 0.011
    assert in_pieces.sum() <= (np.diff(sounding_frames(cepstra)) > 1).sum()


@pytest.mark.parametrize("ends", [[], [1.0]])
def test_times_without_frames_or_of_different_lengths_are_refused(ends: list[float]) -> None:
    with pytest.raises(ValueError, match="as many begins as ends"):
        ContourTimes(np.array([0.0, 1.0][: 2 * len(ends)]), np.array(ends), seconds=1.0)
