import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.dispatcher import Dispatcher
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.features import mfcc
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import ARTICLE_FFT_SIZE, CepstraParameters
from mfcc_assets_tests import naive
from mfcc_assets_tests.audio_samples import music, write_music

# python_speech_features warns about a frame longer than the FFT, by a deprecated function of logging.
pytestmark = pytest.mark.filterwarnings("ignore:The 'warn' function is deprecated:DeprecationWarning")

PARAMETERS = CepstraParameters()
ARTICLE_PARAMETERS = replace(PARAMETERS, fft_size=ARTICLE_FFT_SIZE)
WINDOW, STEP = 1_103, 441

DEMO = Path(str(files("mfcc_assets.demo")))
DEMO_TRACKS = sorted(path for folder in ("library", "uploads") for path in (DEMO / folder).glob("*.*"))


def levelled(signal: NDArray[np.float32]) -> NDArray[np.float64]:
    return signal.astype(np.float64) / np.abs(signal).max()


def cut(signal: NDArray[np.float32], positions: Iterable[int]) -> list[NDArray[np.float32]]:
    return np.split(signal, sorted(positions))


@pytest.mark.parametrize("path", DEMO_TRACKS, ids=lambda path: path.stem)
def test_a_track_has_the_cepstra_of_python_speech_features(path: Path) -> None:
    expected = naive.cepstra(naive.levelled_signal(path, PARAMETERS), PARAMETERS)
    cepstra = compute_cepstra(
        AudioReader(path, PARAMETERS.sample_rate, PARAMETERS.trimmed_samples).blocks(), PARAMETERS
    )
    assert cepstra.dtype == np.float32
    np.testing.assert_allclose(cepstra, expected, rtol=0, atol=1e-3)


def test_the_demo_library_has_all_its_tracks() -> None:
    assert len(DEMO_TRACKS) >= 43


# The lowest filters of the article's FFT hold at most one bin, so rounding errors do not average out.
@pytest.mark.parametrize("path", DEMO_TRACKS[::9], ids=lambda path: path.stem)
def test_a_small_fft_truncates_frames_as_in_the_article(path: Path) -> None:
    expected = naive.cepstra(naive.levelled_signal(path, ARTICLE_PARAMETERS), ARTICLE_PARAMETERS)
    cepstra = compute_cepstra(
        AudioReader(path, ARTICLE_PARAMETERS.sample_rate, ARTICLE_PARAMETERS.trimmed_samples).blocks(),
        ARTICLE_PARAMETERS,
    )
    np.testing.assert_allclose(cepstra, expected, rtol=0, atol=5e-3)


@pytest.mark.parametrize("parameters", [PARAMETERS, ARTICLE_PARAMETERS], ids=["whole frames", "article"])
@pytest.mark.parametrize(
    "samples",
    [
        *(1, 2, WINDOW - 1, WINDOW, WINDOW + 1),
        *(WINDOW + STEP - 1, WINDOW + STEP, WINDOW + STEP + 1),
        # Lengths around the end of a batch of 64 frames.
        *(WINDOW + 63 * STEP - 1, WINDOW + 63 * STEP, WINDOW + 63 * STEP + 1, WINDOW + 64 * STEP),
        *(WINDOW + 127 * STEP - 1, WINDOW + 127 * STEP, WINDOW + 127 * STEP + 1),
    ],
)
def test_every_length_has_the_frames_of_python_speech_features(samples: int, parameters: CepstraParameters) -> None:
    signal = np.random.default_rng(samples).uniform(-0.5, 0.5, samples).astype(np.float32)
    expected = naive.cepstra(levelled(signal), parameters)
    cepstra = compute_cepstra([signal], parameters)
    np.testing.assert_allclose(cepstra, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    "parameters",
    [
        CepstraParameters(sample_rate=16_000, coefficients=20, filters=40),
        CepstraParameters(sample_rate=8_000, window_seconds=0.032, step_seconds=0.032),
        CepstraParameters(preemphasis=0.0, lifter=0),
        CepstraParameters(fft_size=1_201),
    ],
    ids=["more filters", "frames without overlap", "neither pre-emphasis nor lifter", "an odd number of points"],
)
def test_other_parameters_have_the_meaning_that_python_speech_features_gives_them(
    parameters: CepstraParameters,
) -> None:
    signal = music(3, seed=1, sample_rate=parameters.sample_rate).astype(np.float32)
    expected = naive.cepstra(levelled(signal), parameters)
    np.testing.assert_allclose(compute_cepstra([signal], parameters), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("parameters", [PARAMETERS, ARTICLE_PARAMETERS], ids=["whole frames", "article"])
def test_silence_inside_a_track_is_the_same_however_loud_the_rest_is(parameters: CepstraParameters) -> None:
    signal = (0.01 * music(2, seed=1)).astype(np.float32)
    signal[20_000:40_000] = 0
    expected = naive.cepstra(levelled(signal), parameters)
    cepstra = compute_cepstra([signal], parameters)
    np.testing.assert_allclose(cepstra, expected, rtol=0, atol=1e-3)
    assert cepstra[60, 0] == pytest.approx(np.log(np.finfo(float).eps))


MUSIC = music(4, seed=7).astype(np.float32)


@settings(max_examples=25)
@given(st.lists(st.integers(0, len(MUSIC)), max_size=12))
def test_the_cepstra_do_not_depend_on_how_the_signal_is_cut_into_blocks(positions: list[int]) -> None:
    whole = compute_cepstra([MUSIC], PARAMETERS)
    np.testing.assert_array_equal(compute_cepstra(cut(MUSIC, positions), PARAMETERS), whole)


def test_blocks_may_be_shorter_than_a_step() -> None:
    signal = MUSIC[:20_000]
    blocks = cut(signal, range(0, len(signal), 100))
    np.testing.assert_array_equal(compute_cepstra(blocks, PARAMETERS), compute_cepstra([signal], PARAMETERS))


@settings(max_examples=25)
@given(st.floats(1e-4, 1e4), st.sampled_from([PARAMETERS, ARTICLE_PARAMETERS]))
def test_the_cepstra_do_not_depend_on_how_loud_the_track_is(gain: float, parameters: CepstraParameters) -> None:
    louder = MUSIC * np.float32(gain)
    expected = compute_cepstra([MUSIC], parameters)
    np.testing.assert_allclose(compute_cepstra([louder], parameters), expected, rtol=0, atol=2e-3)


def test_a_file_at_half_the_volume_has_the_same_cepstra(tmp_path: Path) -> None:
    loud = write_music(tmp_path / "loud.wav", 3, seed=2, amplitude=0.8, subtype="FLOAT")
    soft = write_music(tmp_path / "soft.wav", 3, seed=2, amplitude=0.4, subtype="FLOAT")
    of_loud, of_soft = (
        compute_cepstra(AudioReader(path, PARAMETERS.sample_rate, PARAMETERS.trimmed_samples).blocks(), PARAMETERS)
        for path in (loud, soft)
    )
    np.testing.assert_allclose(of_soft, of_loud, rtol=0, atol=1e-4)


@pytest.mark.parametrize("blocks", [[], [np.empty(0, np.float32)]], ids=["no block", "an empty block"])
def test_a_signal_of_no_samples_is_refused(blocks: list[NDArray[np.float32]]) -> None:
    with pytest.raises(ValueError, match="no samples"):
        compute_cepstra(blocks, PARAMETERS)


def test_a_signal_of_only_zeros_is_refused() -> None:
    with pytest.raises(ValueError, match="no level"):
        compute_cepstra([np.zeros(44_100, np.float32)], PARAMETERS)


def test_a_track_needs_no_other_kernels_than_those_that_warm_up_compiles() -> None:
    mfcc.warm_up()
    compute_cepstra([MUSIC], PARAMETERS)
    compiled = [len(kernel.signatures) for kernel in vars(mfcc).values() if isinstance(kernel, Dispatcher)]
    assert compiled == [1] * 3


@pytest.mark.parametrize("step_seconds", [0.0, 0.03])
def test_frames_that_leave_gaps_are_refused(step_seconds: float) -> None:
    with pytest.raises(ValueError, match="does not suit"):
        compute_cepstra([MUSIC], replace(PARAMETERS, step_seconds=step_seconds))


# getrusage would not do: its figure for a child includes the memory that the parent had when it started the child.
STATUS = Path("/proc/self/status")

MEASURE_MEMORY = """
import sys
from pathlib import Path
from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import analyse, track_features_of

parameters = FeaturesParameters()
cepstra = parameters.cepstra
reader = AudioReader(Path(sys.argv[1]), cepstra.sample_rate, cepstra.trimmed_samples)
analysis = analyse(reader.blocks(), cepstra)
track_features_of(analysis, parameters)
status = Path("/proc/self/status").read_text()
print(len(analysis.cepstra), status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(not STATUS.exists(), reason="the peak of a process is read from Linux's /proc")
def test_two_hours_of_audio_are_analysed_in_less_than_350_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    minute = (20_000 * music(60, seed=3, sample_rate=22_050)).astype(np.int16)
    with soundfile.SoundFile(path, "w", 22_050, 1) as file:
        for _ in range(120):
            file.write(minute)
    measured = subprocess.run([sys.executable, "-c", MEASURE_MEMORY, path], check=True, capture_output=True, text=True)
    path.unlink()
    frames, kibibytes = map(int, measured.stdout.split())
    assert frames == pytest.approx(720_000, abs=10)
    assert 1024 * kibibytes < 350_000_000
