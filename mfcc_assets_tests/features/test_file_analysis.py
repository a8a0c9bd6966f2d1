"""The analysis of one file."""

from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.audio.reader import AudioLimits, AudioReader
from mfcc_assets.errors import UnreadableAudio
from mfcc_assets.features.file_analysis import analyse_file, waveform_of_file
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.track_features import analyse
from mfcc_assets_tests.audio_samples import write_music

PARAMETERS = CepstraParameters()


def test_a_file_is_analysed_as_the_signal_that_it_holds(tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.flac", 3.0, seed=5)
    reader = AudioReader(path, PARAMETERS.sample_rate, PARAMETERS.trimmed_samples)

    file = analyse_file(path, PARAMETERS, AudioLimits())

    expected = analyse(reader.blocks(), PARAMETERS)
    assert file.audio == reader.audio
    np.testing.assert_array_equal(file.analysis.cepstra, expected.cepstra)
    np.testing.assert_array_equal(file.analysis.timbre, expected.timbre)


def test_the_waveform_of_an_analysed_file_is_that_which_the_file_gets_later(tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.flac", 3.0, seed=5)
    analysed = analyse_file(path, PARAMETERS, AudioLimits())

    audio, waveform = waveform_of_file(path, analysed.analysis.cepstra, PARAMETERS, AudioLimits())

    assert audio == analysed.audio
    assert len(waveform.peaks) == pytest.approx(300, abs=5)
    np.testing.assert_array_equal(waveform.peaks, analysed.waveform.peaks)
    np.testing.assert_array_equal(waveform.bands, analysed.waveform.bands)


def test_an_error_names_the_file_as_the_caller_does(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(b"no music")
    with pytest.raises(UnreadableAudio, match=r"^album/song\.mp3: "):
        analyse_file(path, PARAMETERS, AudioLimits(), "album/song.mp3")
