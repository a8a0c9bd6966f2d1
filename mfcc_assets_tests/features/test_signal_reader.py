"""The reader of a file's signal for given cepstra."""

from pathlib import Path

import numpy as np

from mfcc_assets.audio.reader import AudioLimits, AudioReader
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.signal_reader import signal_reader
from mfcc_assets_tests.audio_samples import write_audio, write_music


def test_the_signal_has_the_rate_and_the_trimmed_ends_of_the_parameters(tmp_path: Path) -> None:
    path, parameters = write_music(tmp_path / "song.flac", 3.0, seed=1), CepstraParameters()

    found = np.concatenate(list(signal_reader(path, parameters, AudioLimits()).blocks()))

    plain = AudioReader(path, parameters.sample_rate, parameters.trimmed_samples)
    np.testing.assert_array_equal(found, np.concatenate(list(plain.blocks())))


def test_frames_begin_with_the_music_whatever_silence_is_before_it(tmp_path: Path) -> None:
    parameters, rng = CepstraParameters(), np.random.default_rng(3)
    noise = rng.uniform(-0.5, 0.5, 2 * parameters.sample_rate).astype(np.float32)
    silence = np.zeros(round(2.3 * parameters.step_samples), np.float32)
    path = write_audio(tmp_path / "late.wav", np.concatenate([silence, noise]), parameters.sample_rate)
    reader = signal_reader(path, parameters, AudioLimits())

    for _ in reader.blocks():
        pass

    assert reader.audio.skipped_samples == len(silence) % parameters.step_samples
