from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mutagen.id3
import mutagen.mp3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.audio.reader import BLOCK_SAMPLES, Audio, AudioLimits, AudioReader, read_audio_id
from mfcc_assets.errors import (
    AudioError,
    EmptyAudio,
    NotFinite,
    SilentAudio,
    TooLong,
    TooShort,
    UnreadableAudio,
)
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets_tests import naive
from mfcc_assets_tests.audio_samples import encode, music, tone, write_audio, write_music, write_tone

PARAMETERS = CepstraParameters()


def reader_of(path: Path, limits: AudioLimits | None = None, block_samples: int = BLOCK_SAMPLES) -> AudioReader:
    sample_rate, trimmed_samples = PARAMETERS.sample_rate, PARAMETERS.trimmed_samples
    return AudioReader(path, sample_rate, trimmed_samples, limits, block_samples=block_samples)


def read(path: Path, limits: AudioLimits | None = None, block_samples: int = BLOCK_SAMPLES) -> tuple[np.ndarray, Audio]:
    reader = reader_of(path, limits, block_samples)
    return np.concatenate(list(reader.blocks())), reader.audio


def levelled(signal: np.ndarray) -> np.ndarray:
    return signal / np.abs(signal).max()


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg", "mp3"])
def test_every_format_is_read_as_the_signal_of_the_article(tmp_path: Path, suffix: str) -> None:
    path = write_music(tmp_path / f"song.{suffix}", 4, seed=1, channels=2)
    signal, facts = read(path)
    np.testing.assert_allclose(levelled(signal), naive.levelled_signal(path, PARAMETERS), atol=1e-6)
    assert facts.seconds == pytest.approx(4, abs=0.06)
    assert (facts.sample_rate, facts.channels, facts.truncated) == (44_100, 2, False)


@pytest.mark.parametrize(
    ("sample_rate", "channels", "subtype"),
    [
        (8_000, 1, "PCM_16"),
        (11_025, 2, "ULAW"),
        (44_100, 1, "PCM_U8"),
        (48_000, 6, "PCM_24"),
        (96_000, 2, "FLOAT"),
        (192_000, 1, "DOUBLE"),
    ],
)
def test_every_sample_rate_and_sample_width_is_read_as_the_signal_of_the_article(
    tmp_path: Path, sample_rate: int, channels: int, subtype: str
) -> None:
    path = write_music(tmp_path / "song.wav", 3, 1, sample_rate=sample_rate, channels=channels, subtype=subtype)
    signal, _ = read(path)
    np.testing.assert_allclose(levelled(signal), naive.levelled_signal(path, PARAMETERS), atol=1e-6)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = tone(2, 440), tone(2, 1_000)
    path = write_audio(tmp_path / "song.wav", np.stack([left, right], axis=1), subtype="FLOAT")
    signal, _ = read(path)
    np.testing.assert_allclose(signal, ((left + right) / 2)[500:-500], atol=1e-6)


@pytest.mark.parametrize("trimmed", [0, 1, 500])
def test_the_trimmed_samples_are_missing_at_both_ends(tmp_path: Path, trimmed: int) -> None:
    path = write_audio(tmp_path / "song.wav", np.linspace(-0.5, 0.5, 50_000), subtype="FLOAT")
    signal = np.concatenate(list(AudioReader(path, PARAMETERS.sample_rate, trimmed).blocks()))
    assert len(signal) == 50_000 - 2 * trimmed
    assert signal[0] == pytest.approx(-0.5 + trimmed / 49_999)
    assert signal[-1] == pytest.approx(0.5 - trimmed / 49_999)


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "wav", "opus"])
@pytest.mark.parametrize("block_samples", [1_000, 4_096])
def test_the_signal_does_not_depend_on_the_size_of_the_blocks(tmp_path: Path, suffix: str, block_samples: int) -> None:
    path = write_music(tmp_path / f"song.{suffix}", 3, seed=2, sample_rate=24_000)
    signal, facts = read(path)
    small_blocks, small_facts = read(path, block_samples=block_samples)
    np.testing.assert_array_equal(small_blocks, signal)
    assert small_facts == facts


def test_a_reader_can_read_again_from_the_start(tmp_path: Path) -> None:
    reader = AudioReader(write_tone(tmp_path / "song.wav", 1.5), PARAMETERS.sample_rate, PARAMETERS.trimmed_samples)
    next(reader.blocks())
    first, second = (np.concatenate(list(reader.blocks())) for _ in range(2))
    np.testing.assert_array_equal(first, second)


BLOCK_OF_A_TENTH = 4_410
"""Samples of a block of 0.1 s."""


def test_the_next_file_can_be_read_if_the_caller_stops_reading(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.wav", 5)
    blocks = reader_of(path, block_samples=BLOCK_OF_A_TENTH).blocks()
    next(blocks)
    blocks.close()
    assert len(read(path)[0]) == 5 * 44_100 - 1_000


def test_the_next_file_can_be_read_after_bad_samples(tmp_path: Path) -> None:
    signal = tone(5)
    signal[30_000] = np.nan
    with pytest.raises(NotFinite):
        read(write_audio(tmp_path / "bad.wav", signal, subtype="FLOAT"), block_samples=BLOCK_OF_A_TENTH)
    read(write_tone(tmp_path / "song.wav", 5))


def test_several_threads_read_at_once(tmp_path: Path) -> None:
    paths = [write_music(tmp_path / f"{seed}.flac", 2, seed) for seed in range(6)]
    one_by_one = [read_audio_id(path) for path in paths]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(read_audio_id, paths)) == one_by_one


def test_a_folder_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        read(tmp_path)


@pytest.mark.parametrize("name", ["caf\udce9.wav", "new\nline.wav", "100 %.wav"])
def test_a_file_with_any_name_is_read(tmp_path: Path, name: str) -> None:
    path = write_tone(tmp_path / "song.wav", 2)
    assert len(read(path.rename(tmp_path / name))[0]) == 2 * 44_100 - 1_000


def test_a_relative_path_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tone(tmp_path / "song.wav", 2)
    monkeypatch.chdir(tmp_path)
    read(Path("song.wav"))


def test_the_audio_is_not_known_before_the_last_block(tmp_path: Path) -> None:
    reader = AudioReader(write_tone(tmp_path / "song.wav", 1.5), PARAMETERS.sample_rate, PARAMETERS.trimmed_samples)
    with pytest.raises(RuntimeError, match="after all of its blocks"):
        _ = reader.audio


def test_a_loud_click_among_the_trimmed_samples_does_not_make_a_silent_file_audible(tmp_path: Path) -> None:
    signal = np.zeros(88_200)
    signal[3] = 1.0
    with pytest.raises(SilentAudio):
        read(write_audio(tmp_path / "song.wav", signal, subtype="FLOAT"))


@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 192_000])
def test_a_file_with_nothing_but_a_constant_offset_is_silent(tmp_path: Path, sample_rate: int) -> None:
    path = write_audio(tmp_path / "song.flac", np.full(2 * sample_rate, 0.5), sample_rate=sample_rate)
    with pytest.raises(SilentAudio, match="the same value"):
        read(path)


def test_a_new_tag_does_not_change_the_audio_id(tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.mp3", 2, seed=3)
    before = read_audio_id(path)
    file = mutagen.mp3.MP3(path)
    file.add_tags()
    tags: Any = file.tags
    tags.add(mutagen.id3.TIT2(text="Another title"))
    file.save()
    assert read_audio_id(path) == before == read(path)[1].audio_id


def test_the_same_samples_in_two_containers_have_one_audio_id(tmp_path: Path) -> None:
    signal = (20_000 * music(2, seed=3)).astype(np.int16)
    assert read_audio_id(write_audio(tmp_path / "a.wav", signal)) == read_audio_id(
        write_audio(tmp_path / "b.flac", signal)
    )


def test_other_samples_rates_or_channels_give_another_audio_id(tmp_path: Path) -> None:
    signal = music(4, seed=3)
    ids = {
        read_audio_id(write_audio(tmp_path / "a.wav", signal)),
        read_audio_id(write_audio(tmp_path / "b.wav", signal[:-1])),
        read_audio_id(write_audio(tmp_path / "c.wav", signal, sample_rate=48_000)),
        read_audio_id(write_audio(tmp_path / "d.wav", signal.reshape(-1, 2))),
    }
    assert len(ids) == 4


def test_the_audio_id_covers_only_the_mix_of_the_channels_as_features_do(tmp_path: Path) -> None:
    left, right = music(2, seed=3, amplitude=0.4), music(2, seed=4, amplitude=0.4)
    path = write_audio(tmp_path / "a.wav", np.stack([left, right], axis=1))
    swapped = write_audio(tmp_path / "b.wav", np.stack([right, left], axis=1))
    np.testing.assert_array_equal(read(path)[0], read(swapped)[0])
    assert read_audio_id(path) == read_audio_id(swapped)
    assert read_audio_id(write_audio(tmp_path / "c.wav", np.stack([left, left], axis=1))) != read_audio_id(path)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "wav", "aiff"])
def test_a_truncated_file_is_used_as_far_as_it_can_be_decoded_and_is_marked(tmp_path: Path, suffix: str) -> None:
    # Noise, because it cannot be compressed, so that every part of the FLAC holds several blocks.
    whole = write_audio(tmp_path / f"whole.{suffix}", 0.1 * np.random.default_rng(0).standard_normal(20 * 44_100))
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    signal, facts = read(cut)
    assert facts.truncated
    assert facts.declared_seconds == pytest.approx(20)
    assert 5 < facts.seconds < 11
    np.testing.assert_allclose(signal[:100_000], read(whole)[0][:100_000], atol=1e-6)


def test_a_cut_file_without_a_declared_length_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = write_music(tmp_path / "whole.ogg", 10, seed=4)
    cut = tmp_path / "cut.ogg"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 3 < read(cut)[1].seconds < 7


def test_a_file_of_no_bytes_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.touch()
    with pytest.raises(EmptyAudio, match="the file is empty"):
        read(path)


def test_a_file_of_no_samples_is_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyAudio, match="no samples"):
        read(write_audio(tmp_path / "song.wav", np.empty(0)))


def test_a_missing_file_is_no_audio_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "song.wav")


def test_less_than_a_second_is_too_short(tmp_path: Path) -> None:
    with pytest.raises(TooShort, match=r"only 0\.99 s"):
        read(write_tone(tmp_path / "song.wav", 0.99))
    read(write_tone(tmp_path / "song.wav", 1.0))


@pytest.mark.parametrize("suffix", ["flac", "wav", "ogg", "mp3"])
def test_a_whole_file_that_is_too_short_is_not_called_damaged(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(TooShort) as told:
        read(write_tone(tmp_path / f"song.{suffix}", 0.05))
    assert told.value.remedy == "Supply a longer file"


def test_a_damaged_file_of_which_little_is_left_is_called_damaged(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.flac", 30.0)
    path.write_bytes(path.read_bytes()[:9_000])
    with pytest.raises(TooShort) as told:
        read(path)
    assert told.value.remedy == "Supply an undamaged file"


def test_limits_that_allow_audio_to_be_trimmed_to_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leaves nothing"):
        AudioReader(
            tmp_path / "song.wav",
            PARAMETERS.sample_rate,
            PARAMETERS.trimmed_samples,
            AudioLimits(min_seconds=1_000 / 44_100),
        )


def test_a_file_that_is_too_long_is_refused_before_decoding(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.wav", 3)
    with pytest.raises(TooLong, match="longer than"):
        next(reader_of(path, AudioLimits(max_seconds=1.5), BLOCK_OF_A_TENTH).blocks())


def test_a_stream_of_unknown_length_is_refused_while_decoding(tmp_path: Path) -> None:
    path = encode(tmp_path / "song.aac", "aac", music(6, seed=5, sample_rate=48_000))
    assert read(path)[1].declared_seconds == 0
    with pytest.raises(TooLong):
        read(path, AudioLimits(max_seconds=5), block_samples=4_096)


def test_an_impossible_sample_rate_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableAudio, match="sample rate of 1 Hz"):
        read(write_audio(tmp_path / "song.wav", np.ones(50), sample_rate=1))


@pytest.mark.parametrize("amplitude", [0.0, 2.0**-15])
def test_a_signal_of_one_step_of_16_bits_is_silence(tmp_path: Path, amplitude: float) -> None:
    with pytest.raises(SilentAudio):
        read(write_audio(tmp_path / "song.wav", np.full(44_100, amplitude)))


def test_two_steps_of_16_bits_are_not_silence(tmp_path: Path) -> None:
    signal, _ = read(write_audio(tmp_path / "song.wav", np.tile([0, 2.0**-14], 22_050)))
    assert np.abs(signal).max() == 2.0**-14


@pytest.mark.parametrize("position", [0, 30_000, 88_199])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_not_finite_or_absurdly_large_are_refused(tmp_path: Path, position: int, value: float) -> None:
    signal = np.tile(tone(2), (2, 1)).T
    signal[position, 1] = value
    path = write_audio(tmp_path / "song.wav", signal, sample_rate=48_000, subtype="FLOAT")
    with pytest.raises(NotFinite):
        read(path)


def test_channels_with_opposite_infinities_are_refused(tmp_path: Path) -> None:
    signal = np.tile(tone(2), (2, 1)).T
    signal[30_000] = np.inf, -np.inf
    with pytest.raises(NotFinite):
        read(write_audio(tmp_path / "song.wav", signal, subtype="FLOAT"))


def test_every_error_names_the_file_and_a_remedy(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "song.wav", np.zeros(44_100))
    with pytest.raises(AudioError) as caught:
        list(AudioReader(path, PARAMETERS.sample_rate, PARAMETERS.trimmed_samples, subject="Summer by Nobody").blocks())
    assert str(caught.value).startswith("Summer by Nobody: no sample rises above silence. Supply")


@settings(max_examples=30)
@given(silent=st.integers(0, 3_000), block_samples=st.sampled_from([300, 5_000, BLOCK_SAMPLES]))
def test_an_aligned_signal_holds_the_music_at_the_same_position_of_a_step(
    tmp_path_factory: pytest.TempPathFactory, silent: int, block_samples: int
) -> None:
    step, trimmed = 441, 500
    signal = np.concatenate([np.zeros(silent), np.random.default_rng(0).uniform(0.1, 0.9, 60_000)]).astype(np.float32)
    path = write_audio(tmp_path_factory.mktemp("aligned") / "song.wav", signal, subtype="FLOAT")
    reader = AudioReader(path, 44_100, trimmed, aligned_to=step, block_samples=block_samples)
    read = np.concatenate(list(reader.blocks()))
    np.testing.assert_array_equal(read, np.delete(signal, reader.audio.skipped)[trimmed:-trimmed])
    assert reader.audio.skipped_samples == silent % step
    assert reader.audio.skipped_at == silent - silent % step
