from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mfcc_assets.audio.decoders import open_decoder
from mfcc_assets.audio.reencode import AAC, MP3, OPUS, WAV, Chain, Codec, reencode
from mfcc_assets.errors import UnreadableAudio
from mfcc_assets_tests.audio_samples import tone, write_audio, write_music, write_tone

LEVEL = 0.07
"""Relative tolerance of levels, because LAME lowers them by half a decibel at low bit rates."""


def reencoded(source: Path, chain: Chain) -> tuple[np.ndarray, int]:
    """Return the samples (frames, channels) and the sample rate of the result."""
    target = source.with_name("reencoded.mp3")
    reencode(source, target, chain)
    assert soundfile.info(target).format == "MP3"
    return soundfile.read(target, always_2d=True)


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples[2000:-2000] ** 2)))


@pytest.mark.parametrize(("rate", "bit_rate"), [(22_050, 96_000), (16_000, 64_000), (24_000, 64_000), (32_000, 64_000)])
def test_the_result_has_the_new_sample_rate_and_the_old_length(tmp_path: Path, rate: int, bit_rate: int) -> None:
    source = write_music(tmp_path / "music.flac", 3.0, seed=1)

    samples, found = reencoded(source, Chain(rate, bit_rate, gain=0.0))

    assert found == rate
    assert len(samples) == pytest.approx(3.0 * rate, abs=0.05 * rate)
    size = (tmp_path / "reencoded.mp3").stat().st_size
    assert size == pytest.approx(3.0 * bit_rate / 8, rel=0.1), "the file has the requested bit rate"


@pytest.mark.parametrize("gain", [-6.0, 6.0])
def test_the_gain_is_in_decibels_and_nothing_is_clipped(tmp_path: Path, gain: float) -> None:
    source = write_tone(tmp_path / "tone.flac", 2.0, amplitude=0.9)

    as_loud, _ = reencoded(source, Chain(22_050, 96_000, gain=0.0))
    changed, _ = reencoded(source, Chain(22_050, 96_000, gain))

    assert level(as_loud) == pytest.approx(0.9 / np.sqrt(2), rel=LEVEL)
    assert 20 * np.log10(level(changed) / level(as_loud)) == pytest.approx(gain, abs=0.05)


def test_a_part_of_the_file_is_cut_out(tmp_path: Path) -> None:
    halves = np.concatenate([tone(2.0, amplitude=0.1), tone(2.0, amplitude=0.8)])
    source = write_audio(tmp_path / "halves.flac", halves)

    samples, rate = reencoded(source, Chain(22_050, 96_000, gain=0.0, begin=2.0, seconds=1.5))

    assert len(samples) == pytest.approx(1.5 * rate, abs=0.05 * rate)
    assert level(samples) == pytest.approx(0.8 / np.sqrt(2), rel=LEVEL)


def test_a_part_ends_at_the_end_of_the_file(tmp_path: Path) -> None:
    samples, rate = reencoded(
        write_tone(tmp_path / "tone.flac", 2.0), Chain(22_050, 96_000, gain=0.0, begin=1.5, seconds=30.0)
    )
    assert len(samples) == pytest.approx(0.5 * rate, abs=0.05 * rate)


@pytest.mark.parametrize(("channels", "kept"), [(1, 1), (2, 2), (4, 1)])
def test_stereo_stays_stereo_and_more_channels_are_mixed_to_mono(tmp_path: Path, channels: int, kept: int) -> None:
    samples, _ = reencoded(write_tone(tmp_path / "tone.wav", 1.0, channels=channels), Chain(22_050, 96_000, gain=0.0))
    assert samples.shape[1] == kept
    assert level(samples[:, 0]) == pytest.approx(0.5 / np.sqrt(2), rel=LEVEL)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.mp3").write_bytes(b"not music")
    with pytest.raises(UnreadableAudio):
        reencode(tmp_path / "noise.mp3", tmp_path / "out.mp3", Chain(22_050, 96_000, gain=0.0))


@pytest.mark.parametrize("codec", [MP3, AAC, OPUS, WAV])
@pytest.mark.parametrize("sample", [np.nan, np.inf, 1e30])
def test_samples_that_no_encoder_can_take_are_refused_and_do_not_end_the_process(
    tmp_path: Path, codec: Codec, sample: float
) -> None:
    signal = tone(1.0)
    signal[20_000] = sample
    soundfile.write(tmp_path / "tone.wav", signal, 44_100, subtype="FLOAT")
    with pytest.raises(UnreadableAudio, match=r"tone\.wav: its samples cannot be encoded"):
        reencode(tmp_path / "tone.wav", tmp_path / "out", Chain(48_000, 64_000, gain=0.0, codec=codec))


@pytest.mark.parametrize(
    ("codec", "rate", "bit_rate"), [(MP3, 44_100, 128_000), (AAC, 44_100, 96_000), (OPUS, 48_000, 64_000)]
)
def test_every_codec_keeps_the_length_the_level_and_its_own_bit_rate(
    tmp_path: Path, codec: Codec, rate: int, bit_rate: int
) -> None:
    source = write_music(tmp_path / "music.flac", 6.0, seed=1)
    target = tmp_path / f"target{codec.suffix}"

    reencode(source, target, Chain(rate, bit_rate, gain=0.0, codec=codec))

    samples, found = decoded(target)
    assert found == rate
    assert len(samples) == pytest.approx(6.0 * rate, abs=0.1 * rate)
    assert level(samples) == pytest.approx(level(decoded(source)[0]), rel=LEVEL)
    assert target.stat().st_size == pytest.approx(6.0 * bit_rate / 8, rel=0.35)


def test_a_gain_alone_changes_nothing_but_the_level_even_above_full_scale(tmp_path: Path) -> None:
    source = write_music(tmp_path / "music.flac", 1.0, seed=1, sample_rate=32_000)

    reencode(source, tmp_path / "louder.wav", Chain(None, None, gain=20.0, codec=WAV))

    (before, rate), (after, rate_after) = decoded(source), decoded(tmp_path / "louder.wav")
    assert rate_after == rate
    np.testing.assert_allclose(after, 10 * before, rtol=1e-6)
    assert np.abs(after).max() > 1


@pytest.mark.parametrize(("frequency", "kept"), [(1_000, 1.0), (8_000, 0.0)])
def test_a_low_pass_takes_away_what_is_above_its_limit(tmp_path: Path, frequency: int, kept: float) -> None:
    rate = 44_100
    # Several blocks are filtered, so that their seams are heard if they are not filtered as one.
    source = write_audio(tmp_path / "tone.flac", 0.5 * np.sin(2 * np.pi * frequency / rate * np.arange(3 * rate)), rate)

    reencode(source, tmp_path / "low.wav", Chain(None, None, gain=0.0, codec=WAV, low_pass=4_000.0))

    assert level(decoded(tmp_path / "low.wav")[0]) == pytest.approx(kept * 0.5 / np.sqrt(2), abs=0.03)


def test_a_low_pass_above_everything_that_a_file_can_hold_changes_nothing(tmp_path: Path) -> None:
    source = write_music(tmp_path / "music.flac", 1.0, seed=1, sample_rate=16_000)
    reencode(source, tmp_path / "same.wav", Chain(None, None, gain=0.0, codec=WAV, low_pass=8_000.0))
    np.testing.assert_array_equal(decoded(tmp_path / "same.wav")[0], decoded(source)[0])


def test_different_chains_have_different_recipes() -> None:
    chain = Chain(22_050, 96_000, gain=0.0)
    others: list[dict[str, Any]] = [
        {"sample_rate": 16_000},
        {"bit_rate": 64_000},
        {"gain": 1.0},
        {"begin": 1.0},
        {"seconds": 30.0},
        {"low_pass": 10_000.0},
        *({"codec": codec} for codec in (AAC, OPUS, WAV)),
        {"codec": replace(MP3, encoder="mp3_mf")},
        {"codec": replace(MP3, sample_format="s32p")},
        {"codec": replace(MP3, options={"compression_level": "2"})},
    ]
    assert len({chain.recipe, *(replace(chain, **other).recipe for other in others)}) == 1 + len(others)


def test_the_recipe_of_an_mp3_is_the_one_by_which_features_were_stored() -> None:
    assert Chain(22_050, 96_000, gain=1.5).recipe == (
        "Chain(sample_rate=22050, bit_rate=96000, gain=1.5, begin=0.0, seconds=inf) "
        "libmp3lame fltp {'compression_level': '7'}"
    )


def decoded(path: Path) -> tuple[np.ndarray, int]:
    """Return the samples (frames, channels) and the sample rate of a file of any format."""
    decoder = open_decoder(path, path.name)
    blocks = []
    while len(block := decoder.read(2**16)):
        blocks.append(block)
    decoder.close()
    return np.concatenate(blocks), decoder.sample_rate
