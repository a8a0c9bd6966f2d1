"""The times at which the frames of a contour sound in their file.

Two frames at each edge of silence are left out with it, so the tests make the silence that much shorter.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.features.contour_times import ContourTimes
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.silence import sounding_frames
from mfcc_assets.features.statistics import segment_means

PARAMETERS = CepstraParameters()
SILENT = -36.0


def cepstra_of(*energies_and_frames: tuple[float, int]) -> np.ndarray:
    """Return cepstra whose second coefficient is the time in the file at the middle of the frame."""
    energies = np.concatenate([np.full(frames, energy) for energy, frames in energies_and_frames])
    times = (np.arange(len(energies)) + 0.5) * PARAMETERS.step_seconds
    return np.column_stack([energies, times, np.zeros((len(energies), 11))]).astype(np.float32)


def times_of(cepstra: np.ndarray, frames: int) -> ContourTimes:
    return ContourTimes.of(cepstra, frames, PARAMETERS, seconds=len(cepstra) * PARAMETERS.step_seconds)


def test_a_file_without_silence_is_divided_evenly() -> None:
    times = times_of(cepstra_of((-2, 400)), 8)
    np.testing.assert_allclose(times.begins, np.arange(8) / 2)
    np.testing.assert_allclose(times.ends, np.arange(1, 9) / 2)


def test_silence_is_between_the_frames() -> None:
    times = times_of(cepstra_of((SILENT, 998), (-2, 104), (SILENT, 296), (-2, 104), (SILENT, 48)), 4)
    np.testing.assert_allclose(times.begins, [10, 10.5, 14, 14.5])
    np.testing.assert_allclose(times.ends, [10.5, 11, 14.5, 15])
    assert times.sounding_seconds == pytest.approx(2)


def test_a_frame_with_silence_in_its_midst_takes_the_times_of_its_larger_part() -> None:
    times = times_of(cepstra_of((-2, 132), (SILENT, 996), (-2, 172)), 3)
    np.testing.assert_allclose(times.begins, [0, 11, 12])
    np.testing.assert_allclose(times.ends, [1, 12, 13])


def test_a_span_ends_before_the_silence_and_the_next_begins_behind_it() -> None:
    times = times_of(cepstra_of((-2, 102), (SILENT, 296), (-2, 102)), 4)
    assert times.end_at(np.array([2.0])) == pytest.approx(1)
    assert times.begin_at(np.array([2.0])) == pytest.approx(4)
    assert times.begin_at(np.array([2.5])) == times.end_at(np.array([2.5])) == pytest.approx(4.25)
    assert times.end_at(np.array([4.0])) == pytest.approx(5)


def test_rows_are_spread_over_the_file_with_gaps_where_it_is_silent() -> None:
    times = times_of(cepstra_of((SILENT, 300), (-2, 200), (SILENT, 200)), 4)
    spread = times.spread(np.array([[1.0], [2.0]]), 14)[:, 0]
    np.testing.assert_array_equal(spread, [*[np.nan] * 6, 1, 1, 2, 2, *[np.nan] * 4])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([SILENT, -2.0]), st.integers(1, 500)), min_size=1, max_size=8).filter(
        lambda stretches: any(energy == -2 for energy, _ in stretches)
    ),
    st.integers(1, 20),
)
def test_the_times_of_a_frame_are_around_its_mean_time(stretches: list[tuple[float, int]], frames: int) -> None:
    cepstra = cepstra_of(*stretches)
    kept = cepstra[sounding_frames(cepstra)]
    times = times_of(cepstra, min(frames, len(kept)))
    means = segment_means(kept, len(times.begins))[:, 1]
    assert (times.begins >= 0).all()
    assert (times.ends <= times.seconds + 1e-6).all()
    assert (np.diff(times.begins) > 0).all()
    whole = np.abs(times.ends - times.begins - len(kept) * 0.01 / len(times.begins)) <= 0.011
    assert whole.all()
    is_in_one_piece = np.abs((times.begins + times.ends) / 2 - means) < 0.011
    assert is_in_one_piece.mean() >= 1 - len(stretches) / max(1, len(times.begins)) or len(stretches) > 2


@pytest.mark.parametrize("ends", [[], [1.0]])
def test_times_without_frames_or_of_different_lengths_are_refused(ends: list[float]) -> None:
    with pytest.raises(ValueError, match="as many begins as ends"):
        ContourTimes(np.array([0.0, 1.0][: 2 * len(ends)]), np.array(ends), seconds=1.0)
