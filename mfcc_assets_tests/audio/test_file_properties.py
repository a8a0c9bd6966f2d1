"""Properties of audio files."""

from pathlib import Path

import pytest

from mfcc_assets.audio.file_properties import FileProperties, read_file_properties
from mfcc_assets.audio.reencode import AAC, MP3, OPUS, WAV, Chain, Codec, reencode
from mfcc_assets_tests.audio_samples import write_music


@pytest.mark.parametrize(
    ("codec", "name", "rate", "bit_rate"),
    [
        (MP3, "mp3", 22_050, 64_000),
        (AAC, "aac", 44_100, 96_000),
        (OPUS, "opus", 48_000, 64_000),
        (WAV, "pcm_f32le", 32_000, 2 * 32 * 32_000),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_tells_its_codec_rate_channels_and_bit_rate(
    tmp_path: Path, codec: Codec, name: str, rate: int, bit_rate: int, channels: int
) -> None:
    source = write_music(tmp_path / "music.wav", 5.0, seed=1, channels=channels)
    target = tmp_path / "a file of any name"
    reencode(source, target, Chain(rate, None if codec is WAV else bit_rate, gain=0.0, codec=codec))

    found = read_file_properties(target)

    assert (found.codec, found.sample_rate, found.channels) == (name, rate, channels)
    expected = bit_rate * channels / 2 if codec is WAV else bit_rate
    assert found.bit_rate == pytest.approx(expected, rel=0.35)


def test_files_are_alike_only_if_everything_agrees() -> None:
    file = FileProperties("vorbis", 44_100, 2, 100_000)
    assert file.is_like(FileProperties("vorbis", 44_100, 2, 109_000))
    for other in (
        FileProperties("opus", 44_100, 2, 100_000),
        FileProperties("vorbis", 48_000, 2, 100_000),
        FileProperties("vorbis", 44_100, 1, 100_000),
        FileProperties("vorbis", 44_100, 2, 111_000),
        FileProperties("vorbis", 44_100, 2, 0.0),
    ):
        assert not file.is_like(other)
        assert not other.is_like(file)
