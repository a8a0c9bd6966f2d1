import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mfcc_assets.features.mel import lifter_weights
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.timbre import COEFFICIENTS, GROUPS, WIDTH, timbre_vector
from mfcc_assets_tests import naive_timbre

BANDS = 5

WIDTHS = {"cepstra": 20, "low_cepstra": 16}
"""Number of coefficients that describe the frames in the whole band and in the low band."""

# More than one chunk, whole seconds, and windows from the first frame to the last.
FRAMES = 6_400


def frames_of(seed: int, frames: int = FRAMES) -> np.ndarray:
    """Noise that changes as slowly as music, around a spectrum that the seed chooses."""
    generator = np.random.default_rng(seed)
    colour = generator.normal(0, 10, COEFFICIENTS)
    noise = generator.normal(0, 20, (frames + 9, COEFFICIENTS))
    return (colour + np.lib.stride_tricks.sliding_window_view(noise, 10, axis=0).mean(axis=2)).astype(np.float32)


def gaussian_of(vector: np.ndarray, group: str) -> tuple[np.ndarray, np.ndarray]:
    """Recover the mean and the covariance from which a group was made."""
    triangle = vector[GROUPS[group]].astype(np.float64)
    side = int(np.sqrt(2 * len(triangle)))
    logarithm = np.zeros((side, side))
    logarithm[np.triu_indices(side)] = triangle / np.sqrt(2)
    matrix = scipy.linalg.expm(logarithm + logarithm.T - np.diag(np.diag(logarithm)) * (2 - np.sqrt(2)))
    mean = matrix[:-1, -1]
    return mean, matrix[:-1, :-1] - np.outer(mean, mean) - 0.05 * np.eye(side - 1)


def assert_near(vector: np.ndarray, other: np.ndarray, tolerance: float) -> None:
    # Logarithms of tiny variances are large, and single precision has seven digits.
    np.testing.assert_allclose(vector, other, rtol=tolerance, atol=tolerance)


def test_the_parts_fill_the_vector():
    assert {name: group.stop - group.start for name, group in GROUPS.items()} == {
        "cepstra": 861,
        "texture": 1_891,
        "movement": 666,
        "low_cepstra": 561,
        "low_texture": 1_225,
    }
    positions = np.concatenate([np.arange(WIDTH)[group] for group in GROUPS.values()])
    np.testing.assert_array_equal(positions, np.arange(WIDTH))


@pytest.mark.parametrize("frames", [1, 60, 100, 255, 256, 999, 3_199, 3_201, 3_327, 3_328, 3_500, FRAMES])
def test_the_vector_agrees_with_the_slow_twin(frames):
    vector = timbre_vector(frames_of(1, frames))
    assert vector.shape == (WIDTH,)
    assert vector.dtype == np.float32
    assert_near(vector, naive_timbre.timbre_vector(frames_of(1, frames)), 1e-3)


def test_digital_silence_within_a_track_agrees_with_the_slow_twin():
    frames = frames_of(2)
    frames[1_000:2_000] = 0
    frames[1_000:2_000, 0] = np.log(np.finfo(np.float64).eps)
    assert_near(timbre_vector(frames), naive_timbre.timbre_vector(frames), 1e-3)


@given(
    npst.arrays(
        np.float32,
        st.tuples(st.integers(1, 300), st.just(COEFFICIENTS)),
        elements=st.floats(-1e6, 1e6, width=32),
        fill=st.floats(-100, 100, width=32),
    )
)
def test_the_vector_is_finite_for_any_accepted_cepstra(frames):
    assert np.isfinite(timbre_vector(frames)).all()


@pytest.mark.parametrize("group", WIDTHS)
@pytest.mark.parametrize("frames", [1, 256, 5_000])
def test_constant_cepstra_have_no_variance(frames, group):
    mean, covariance = gaussian_of(timbre_vector(np.full((frames, COEFFICIENTS), -3, np.float32)), group)
    np.testing.assert_allclose(covariance, 0, atol=1e-3)
    np.testing.assert_allclose(mean[WIDTHS[group] :], 0, atol=1e-3)
    assert (np.abs(mean[: WIDTHS[group]]) > 0.001).all()


@pytest.mark.parametrize(
    ("group", "described", "energy", "second"),
    [
        ("cepstra", lambda frames: frames[:, : WIDTHS["cepstra"]], 2.4, 4.7),
        ("low_cepstra", lambda frames: naive_timbre.low_band_cepstra(frames, WIDTHS["low_cepstra"]), 2.0, 4.3),
    ],
)
def test_the_vector_holds_mean_and_covariance_of_the_scaled_frames(group, described, energy, second):
    frames, width = described(frames_of(3).astype(np.float64)), WIDTHS[group]
    mean, covariance = gaussian_of(timbre_vector(frames_of(3)), group)
    lifter = lifter_weights(width, CepstraParameters().lifter)
    scales = np.append(energy, second * np.arange(1, width) ** -0.75 * lifter[1:])
    expected = frames.mean(axis=0)
    expected[0] += 2.4
    np.testing.assert_allclose(mean[:width], expected / scales, atol=1e-3)
    np.testing.assert_allclose(
        covariance[:width, :width], np.cov(frames.T, bias=True) / np.outer(scales, scales), atol=1e-3
    )


def test_a_gain_changes_nothing_but_the_mean_levels():
    frames = frames_of(4)
    louder = frames.copy()
    louder[:, 0] += 3
    different = []
    for group in GROUPS:
        (mean, covariance), (mean_louder, covariance_louder) = (
            gaussian_of(timbre_vector(each + np.eye(COEFFICIENTS, dtype=np.float32)[0] * 30), group)
            for each in (frames, louder)
        )
        np.testing.assert_allclose(covariance, covariance_louder, atol=0.02)
        different.append(np.flatnonzero(np.abs(mean - mean_louder) > 0.1).tolist())
    assert dict(zip(GROUPS, different, strict=True)) == {
        "cepstra": [0],
        "texture": [0],
        "movement": [0, 1, 2, 3, 4],
        "low_cepstra": [0],
        "low_texture": [0],
    }


def modulation_variances(hertz: float) -> np.ndarray:
    """Variances (bands, octaves) of a level that oscillates by half a neper."""
    frames = np.zeros((FRAMES, COEFFICIENTS), np.float32)
    frames[:, 0] = 5 + 0.5 * np.sin(2 * np.pi * hertz * np.arange(FRAMES) / 100)
    mean, _ = gaussian_of(timbre_vector(frames), "movement")
    return np.exp(mean[BANDS:] * 1.2 - 2.6).reshape(BANDS, -1)


@pytest.mark.parametrize(("hertz", "octave"), [(0.5, 0), (1.1, 1), (2.0, 2), (3.9, 3), (7.0, 4), (15.0, 5)])
def test_movement_shows_how_fast_the_level_is_modulated(hertz, octave):
    np.testing.assert_array_equal(modulation_variances(hertz).argmax(axis=1), octave)


@pytest.mark.parametrize("hertz", [2.0, 3.9, 7.0, 15.0])
def test_movement_shows_how_strongly_the_level_is_modulated(hertz):
    np.testing.assert_allclose(modulation_variances(hertz).max(axis=1), 0.5**2 / 2, rtol=0.2)


def test_the_vector_does_not_depend_on_the_size_of_the_chunks():
    frames = frames_of(5, 15_000)
    assert_near(timbre_vector(frames), timbre_vector(frames, chunk_frames=6_400), 3e-5)


@pytest.mark.parametrize("chunk_frames", [0, 100, 128, 3_201])
def test_a_chunk_that_splits_a_second_or_a_window_is_refused(chunk_frames):
    with pytest.raises(ValueError, match="multiple of 3,200 frames"):
        timbre_vector(frames_of(5), chunk_frames=chunk_frames)


def test_a_track_played_twice_has_nearly_the_timbre_of_the_track():
    track, other = frames_of(6), frames_of(7)
    vector = timbre_vector(track)
    twice = timbre_vector(np.concatenate([track, track]))
    for group in GROUPS.values():
        to_other = np.linalg.norm(vector[group] - timbre_vector(other)[group])
        assert 0 < np.linalg.norm(vector[group] - twice[group]) < 0.1 * to_other


def test_a_track_played_backwards_differs_only_in_its_deltas():
    track = frames_of(8)
    vector, backwards = timbre_vector(track), timbre_vector(track[::-1])
    for group in ("texture", "movement", "low_texture"):
        assert_near(vector[GROUPS[group]], backwards[GROUPS[group]], 1e-4)
    for group, width in WIDTHS.items():
        mean, covariance = gaussian_of(vector, group)
        mean_backwards, covariance_backwards = gaussian_of(backwards, group)
        signs = np.repeat([1, -1], width)
        np.testing.assert_allclose(mean_backwards, mean * signs, atol=1e-3)
        np.testing.assert_allclose(covariance_backwards, covariance * np.outer(signs, signs), atol=1e-3)


def test_only_the_low_band_depends_on_the_last_coefficients():
    frames = frames_of(9)
    changed = frames.copy()
    changed[:, WIDTHS["cepstra"] :] += 20
    vector, other = timbre_vector(frames), timbre_vector(changed)
    for name, group in GROUPS.items():
        assert np.array_equal(vector[group], other[group]) == (not name.startswith("low_"))


@pytest.mark.parametrize(
    "unusable",
    [
        np.zeros((0, 26), np.float32),
        np.zeros((9, 25), np.float32),
        np.zeros((9, 27), np.float32),
        np.zeros(26, np.float32),
        np.full((200, 26), np.nan, np.float32),
        np.append(np.zeros((5_000, 26), np.float32), np.full((1, 26), np.inf, np.float32), axis=0),
        np.full((200, 26), -1e7, np.float32),
    ],
    ids=[
        "no frame",
        "too few coefficients",
        "too many coefficients",
        "one dimension",
        "NaN",
        "infinity at the end",
        "absurdly large",
    ],
)
def test_unusable_cepstra_are_refused(unusable):
    with pytest.raises(ValueError, match=r"frame|finite"):
        timbre_vector(unusable)
