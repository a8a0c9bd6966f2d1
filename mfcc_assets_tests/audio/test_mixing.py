"""Channels are mixed down to one, but where they cancel each other out, one of them is read."""

from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.audio.mixing import mixed_down
from mfcc_assets_tests.audio.test_reader import read
from mfcc_assets_tests.audio_samples import music, write_audio


def test_stereo_out_of_phase_is_read_as_one_of_its_channels(tmp_path: Path) -> None:
    left = music(4, seed=1)
    path = write_audio(tmp_path / "song.wav", np.stack([left, -left], axis=1))
    np.testing.assert_array_equal(read(path)[0], read(write_audio(tmp_path / "left.wav", left))[0])


@pytest.mark.parametrize("suffix", ["mp3", "ogg"])
def test_lossy_stereo_out_of_phase_is_as_loud_as_its_channels(tmp_path: Path, suffix: str) -> None:
    left = music(4, seed=1)
    path = write_audio(tmp_path / f"song.{suffix}", np.stack([left, -left], axis=1))
    assert np.std(read(path)[0]) == pytest.approx(np.std(left), rel=0.1)


@pytest.mark.parametrize("offsets", [(0.05, 0.05), (0.2, 0.2), (0.2, -0.2), (0.3, 0.0)])
def test_a_constant_offset_hides_no_stereo_out_of_phase(tmp_path: Path, offsets: tuple[float, float]) -> None:
    left = music(4, seed=1)
    path = write_audio(tmp_path / "song.wav", np.stack([left, -left], axis=1) + offsets, subtype="DOUBLE")
    np.testing.assert_allclose(read(path)[0], left[500:-500] + offsets[0], atol=1e-6)


@pytest.mark.parametrize("offsets", [(0.1, 0.3), (0.1, -0.1), (1 / 3, 2 / 3)])
def test_constant_channels_are_mixed(offsets: tuple[float, float]) -> None:
    block = np.full((20_000, 2), offsets, np.float32)
    np.testing.assert_allclose(mixed_down(block), np.mean(offsets), atol=1e-7)


def test_a_part_out_of_phase_is_read_as_one_channel_and_the_rest_as_the_mix(tmp_path: Path) -> None:
    left, right = music(6, seed=1), music(6, seed=2)
    right[2**17 : 2**17 + 2**16] = -left[2**17 : 2**17 + 2**16]
    path = write_audio(tmp_path / "song.wav", np.stack([left, right], axis=1), subtype="DOUBLE")
    expected = (left + right) / 2
    expected[2**17 : 2**17 + 2**16] = left[2**17 : 2**17 + 2**16]
    np.testing.assert_allclose(read(path)[0], expected[500:-500], atol=1e-6)


@pytest.mark.parametrize("block_samples", [1_000, 30_000])
def test_the_size_of_the_blocks_plays_no_part(tmp_path: Path, block_samples: int) -> None:
    left, right = music(3, seed=1), music(3, seed=2)
    right[50_000:90_000] = -left[50_000:90_000]
    path = write_audio(tmp_path / "song.flac", np.stack([left, right], axis=1))
    np.testing.assert_array_equal(read(path, block_samples=block_samples)[0], read(path)[0])


def test_channels_that_differ_a_little_in_loudness_are_mixed(tmp_path: Path) -> None:
    left = music(2, seed=1)
    path = write_audio(tmp_path / "song.wav", np.stack([left, -0.8 * left], axis=1), subtype="DOUBLE")
    np.testing.assert_allclose(read(path)[0], 0.1 * left[500:-500], atol=1e-6)
