"""The published method, as a reference for ours."""

import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.errors import UnreadableAudio
from mfcc_assets.evaluation.published import (
    LARGEST_DIFFERENCE,
    FastdtwExcess,
    fastdtw_excess,
    largest_difference,
    published_cepstra,
    summed_excess,
)
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets_tests import naive
from mfcc_assets_tests.audio_samples import write_music

PARAMETERS = CepstraParameters()
STARTER_TRACK = Path(str(files("mfcc_assets.demo"))) / "library" / "Will_Savino_Ocean.ogg"


def contour(frames: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, 13)).cumsum(axis=0)


def our_cepstra(path: Path) -> np.ndarray:
    blocks = AudioReader(path, PARAMETERS.sample_rate, PARAMETERS.trimmed_samples).blocks()
    return compute_cepstra(blocks, PARAMETERS)


def test_a_starter_track_has_the_published_cepstra() -> None:
    assert largest_difference(our_cepstra(STARTER_TRACK), published_cepstra(STARTER_TRACK, PARAMETERS)) < 1e-3


@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_a_file_of_any_format_has_the_published_cepstra(tmp_path: Path, suffix: str, sample_rate: int) -> None:
    path = write_music(tmp_path / f"song.{suffix}", 1.5, seed=3, sample_rate=sample_rate, channels=2)
    difference = largest_difference(our_cepstra(path), published_cepstra(path, PARAMETERS))
    assert difference <= LARGEST_DIFFERENCE


def test_frames_computed_a_few_at_a_time_are_those_of_one_call(tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.wav", 2.0, seed=3)
    expected = naive.cepstra(naive.levelled_signal(path, PARAMETERS), PARAMETERS)
    computed = published_cepstra(path, PARAMETERS, frames_at_once=50)
    np.testing.assert_allclose(computed, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["notes.txt", "notes.raw"])
def test_a_file_that_librosa_cannot_read_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"These are not samples.")
    with pytest.raises(UnreadableAudio, match=f"{name}: librosa cannot read the file"):
        published_cepstra(tmp_path / name, PARAMETERS)


def test_a_file_that_librosa_decodes_differently_is_refused(tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.opus", 1.5, seed=3, sample_rate=48_000)
    with pytest.raises(UnreadableAudio, match="librosa decodes Opus differently"):
        published_cepstra(path, PARAMETERS)


def test_a_silent_file_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(44_100), 44_100)
    with pytest.raises(ValueError, match="no level"):
        published_cepstra(tmp_path / "silence.wav", PARAMETERS)


def test_the_largest_difference_counts_whatever_its_sign() -> None:
    ours, changed = np.zeros((5, 13)), np.zeros((5, 13))
    changed[2, 7], changed[3, 1] = -0.5, 0.25
    assert largest_difference(ours, changed) == 0.5


def test_the_last_frame_does_not_count() -> None:
    ours, changed = np.zeros((5, 13)), np.zeros((5, 13))
    changed[4] = 1
    assert largest_difference(ours, changed) == 0
    assert largest_difference(ours, np.zeros((6, 13))) == 0


@pytest.mark.parametrize("shape", [(7, 13), (3, 13), (5, 12)])
def test_other_frames_differ_infinitely(shape: tuple[int, int]) -> None:
    assert largest_difference(np.zeros((5, 13)), np.zeros(shape)) == math.inf


def test_a_single_frame_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="two frames or more"):
        largest_difference(np.zeros((1, 13)), np.zeros((5, 13)))


@pytest.mark.parametrize("coefficient", [1, 13])
def test_the_exact_distance_of_a_coefficient_is_that_of_the_slow_twin(coefficient: int) -> None:
    a, b = contour(40, seed=1), contour(30, seed=2)
    excess = fastdtw_excess(a, b, coefficient)
    expected = naive.dtw(a[:, coefficient - 1], b[:, coefficient - 1])[-1, -1]
    assert excess.exact == pytest.approx(expected, rel=1e-5)


def test_fastdtw_never_finds_less_than_the_exact_distance() -> None:
    a, b = contour(80, seed=1), contour(60, seed=2)
    excess = summed_excess(a, b)
    assert excess.fastdtw >= excess.exact * (1 - 1e-5)
    assert excess.percent == pytest.approx(100 * (excess.fastdtw / excess.exact - 1))


def test_a_track_has_no_distance_to_itself() -> None:
    a = contour(80, seed=1)
    assert summed_excess(a, a) == FastdtwExcess(0, 0)
    assert FastdtwExcess(0, 0).percent == 0


def test_the_published_distance_is_the_sum_over_all_coefficients() -> None:
    a, b = contour(30, seed=1), contour(20, seed=2)
    done = []
    excess = summed_excess(a, b, lambda *progress: done.append(progress))
    each = [fastdtw_excess(a, b, coefficient) for coefficient in range(1, 14)]
    assert excess.fastdtw == pytest.approx(sum(one.fastdtw for one in each))
    assert excess.exact == pytest.approx(sum(one.exact for one in each))
    assert done == [(number, 13) for number in range(1, 14)]


@pytest.mark.parametrize("coefficient", [0, 14])
def test_a_coefficient_that_the_tracks_do_not_have_is_refused(coefficient: int) -> None:
    with pytest.raises(ValueError, match="a coefficient from 1 to 13"):
        fastdtw_excess(contour(5, seed=1), contour(5, seed=2), coefficient)


def test_tracks_of_different_coefficients_are_refused() -> None:
    with pytest.raises(ValueError, match="13 and 12 coefficients"):
        summed_excess(contour(5, seed=1), contour(5, seed=2)[:, :12])
