import struct
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
import scipy.signal
import soundfile

from mfcc_assets.audio.reader import read_audio_id
from mfcc_assets.errors import AudioError, UnreadableAudio
from mfcc_assets_tests import naive
from mfcc_assets_tests.audio.test_reader import PARAMETERS, levelled, read
from mfcc_assets_tests.audio_samples import encode, music, write_audio, write_music


@pytest.mark.parametrize("name", ["text.mp3", "text.wav", "text.raw", "text.m4a", "no suffix"])
def test_text_is_unreadable(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("These are the words of the song.\n" * 300)
    with pytest.raises(UnreadableAudio, match="no decoder can read the file, which is text") as caught:
        read(path)
    assert caught.value.subject == name
    assert caught.value.remedy.startswith("Supply audio, ")


@pytest.mark.parametrize("name", ["song.m4a", "song.wv", "song.flac"])
def test_only_a_damaged_file_should_be_supplied_undamaged(tmp_path: Path, name: str) -> None:
    coding = {"song.m4a": "aac", "song.wv": "wavpack", "song.flac": "flac"}[name]
    path = encode(tmp_path / name, coding, music(2, seed=1, sample_rate=48_000))
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(UnreadableAudio, match="which begins like") as caught:
        read(path)
    assert caught.value.remedy.startswith("Supply an undamaged file")


def test_zeros_called_mp3_are_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "zeros.mp3"
    path.write_bytes(bytes(100_000))
    with pytest.raises(UnreadableAudio):
        read(path)


# The last two are what an encoder adds at both ends, and how much a lossy encoder changes the signal.
@pytest.mark.parametrize(
    ("name", "coding", "container", "added_seconds", "noise"),
    [
        ("song.m4a", "aac", "ipod", 0.05, 0.2),
        ("song.aac", "aac", "adts", 0.1, 0.2),
        ("song.m4a", "alac", "ipod", 0, 1e-3),
        ("song.wma", "wmav2", "asf", 0.2, 0.2),
        ("song.webm", "libopus", "webm", 0.05, 0.2),
        ("song.opus", "libopus", "ogg", 0.05, 0.2),
        ("song.mka", "flac", "matroska", 0, 1e-3),
        ("song.wv", "wavpack", "wv", 0, 0.05),
        ("song.tta", "tta", "tta", 0, 0.05),
        ("song.ac3", "ac3", "ac3", 0.1, 0.2),
        ("song.eac3", "eac3", "eac3", 0.1, 0.2),
        ("song.mp2", "mp2", "mp2", 0.1, 0.2),
        ("song.caf", "alac", "caf", 0.1, 1e-3),
        ("song.caf", "pcm_s24be", "caf", 0, 1e-3),
        ("song.3gp", "aac", "3gp", 0.05, 0.2),
        ("song.wav", "ac3", "wav", 0.1, 0.2),
        ("song.avi", "mp2", "avi", 0.1, 0.2),
        ("song.flv", "aac", "flv", 0.1, 0.2),
        ("song.ts", "aac", "mpegts", 0.1, 0.2),
        ("song.m2ts", "ac3", "mpegts", 0.1, 0.2),
        ("song.mpg", "mp2", "mpeg", 0.1, 0.2),
        ("song.rm", "ac3", "rm", 0.1, 0.2),
    ],
)
def test_ffmpeg_decodes_every_format_to_the_original_signal(
    tmp_path: Path, name: str, coding: str, container: str, added_seconds: float, noise: float
) -> None:
    original = music(4, seed=5, sample_rate=48_000)
    wav = write_audio(tmp_path / "song.wav", original, sample_rate=48_000, channels=2, subtype="FLOAT")
    signal, facts = read(encode(tmp_path / name, coding, original, container=container))
    assert (facts.sample_rate, facts.channels, facts.truncated) == (48_000, 2, False)
    assert facts.seconds == pytest.approx(4, abs=added_seconds)
    played = signal[20_000:70_000]
    expected = _most_alike(read(wav)[0][:90_000], played)
    assert np.std(played - expected) <= noise * np.std(expected)


def _most_alike(signal: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Find the part of a signal that is nearest to a piece, since encoders add or remove a little at the start."""
    products = scipy.signal.correlate(signal, piece, "valid")
    energies = scipy.signal.correlate(signal**2, np.ones_like(piece), "valid")
    start = np.argmax(2 * products - energies)
    return signal[start : start + len(piece)]


def test_ffmpeg_decodes_opus_to_the_length_that_libsndfile_reports(tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.opus", 3.21, seed=6, sample_rate=48_000, channels=2)
    signal, facts = read(path)
    assert facts.seconds == soundfile.info(path).frames / 48_000
    np.testing.assert_allclose(levelled(signal), naive.levelled_signal(path, PARAMETERS), atol=0.01)


@pytest.mark.parametrize(
    ("name", "coding", "declares"), [("song.opus", "libopus", False), ("song.webm", "libopus", True)]
)
def test_a_cut_stream_is_used_as_far_as_it_goes(tmp_path: Path, name: str, coding: str, declares: bool) -> None:
    whole = encode(tmp_path / name, coding, music(20, seed=7, sample_rate=48_000))
    cut = tmp_path / f"cut {name}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 10])
    signal, facts = read(cut)
    assert 3 < facts.seconds < 9
    assert facts.truncated == declares
    np.testing.assert_allclose(signal[:100_000], read(whole)[0][:100_000], atol=1e-6)


def listed_again(boxes: bytes, times: int) -> bytes:
    """Return boxes of an MP4 whose index lists all samples several times, with the same positions in the file."""
    written, place = [], 0
    while place < len(boxes):
        size, name = struct.unpack_from(">I4s", boxes, place)
        body = boxes[place + 8 : place + size]
        if name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
            body = listed_again(body, times)
        elif name in (b"stts", b"stco"):
            (count,) = struct.unpack_from(">I", body, 4)
            body = body[:4] + struct.pack(">I", times * count) + times * body[8:]
        elif name == b"stsz":
            (count,) = struct.unpack_from(">I", body, 8)
            body = body[:8] + struct.pack(">I", times * count) + times * body[12:]
        elif name == b"mdhd":
            (units,) = struct.unpack_from(">I", body, 16)
            body = body[:16] + struct.pack(">I", times * units) + body[20:]
        elif name == b"edts":
            name = b"free"  # an edit list would name the duration of one copy
        written.append(struct.pack(">I4s", 8 + len(body), name) + body)
        place += size
    return b"".join(written)


@pytest.mark.parametrize(("times", "is_read"), [(4, True), (40, False)])
def test_a_file_that_lists_its_bytes_many_times_is_read_only_a_few_times(
    tmp_path: Path, times: int, is_read: bool
) -> None:
    path = encode(tmp_path / "song.m4a", "alac", music(3, seed=1, sample_rate=48_000), container="ipod")
    once, _ = read(path)
    path.write_bytes(listed_again(path.read_bytes(), times))
    signal, facts = read(path)
    assert facts.declared_seconds == pytest.approx(3 * times, abs=1)
    assert facts.truncated != is_read
    assert len(signal) == pytest.approx(min(times, 8) * len(once), rel=0.05)


@pytest.mark.parametrize("name", ["song.m4a", "song.opus", "song.webm", "song.m3u8"])
@pytest.mark.parametrize("playlist", ["#EXTM3U\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n"])
def test_a_playlist_opens_no_other_file(tmp_path: Path, name: str, playlist: str) -> None:
    other = encode(tmp_path / "other.aac", "aac", music(4, seed=8, sample_rate=48_000))
    path = tmp_path / name
    path.write_text(playlist.format(other.name))
    with pytest.raises(UnreadableAudio):
        read(path)


def test_an_mp3_of_a_free_bit_rate_is_read(tmp_path: Path) -> None:
    options = {"write_xing": "0", "id3v2_version": "0"}
    path = encode(tmp_path / "song.mp3", "libmp3lame", music(4, seed=1, sample_rate=48_000), options=options)
    fixed, _ = read(path)
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), 384):  # the bytes of each frame at 128 kbit/s and 48,000 Hz
        assert data[place] == 0xFF
        data[place + 2] &= 0x0F
    path.write_bytes(data)
    signal, facts = read(path)
    assert facts.seconds == pytest.approx(4, abs=0.1)
    np.testing.assert_allclose(signal[10_000:100_000], fixed[10_000:100_000], atol=1e-4)


def test_a_picture_before_the_music_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "song.mkv"
    with av.open(path, "w") as file:
        picture = file.add_stream("mjpeg", 25, width=16, height=16, pix_fmt="yuvj420p")
        sound = file.add_stream("flac", 48_000, layout="mono", format="s16")
        file.mux(picture.encode(av.VideoFrame(16, 16, "yuvj420p")))
        samples = (20_000 * music(2, seed=9, sample_rate=48_000)).astype(np.int16)
        for start in range(0, len(samples), 4_000):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 4_000], "s16", "mono")
            frame.sample_rate = 48_000
            frame.pts = start
            file.mux(sound.encode(frame))
        file.mux([*picture.encode(None), *sound.encode(None)])
    assert read_audio_id(path) == read_audio_id(write_audio(tmp_path / "song.wav", samples, sample_rate=48_000))


def test_a_film_without_sound_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(path, "w") as file:
        picture = file.add_stream("mjpeg", 25, width=16, height=16, pix_fmt="yuvj420p")
        file.mux([*picture.encode(av.VideoFrame(16, 16, "yuvj420p")), *picture.encode(None)])
    with pytest.raises(UnreadableAudio, match="which begins like Matroska, has no audio stream"):
        read(path)


@pytest.mark.parametrize("channels", [3, 8, 9, 52])
def test_ffmpeg_decodes_many_channels(tmp_path: Path, channels: int) -> None:
    signal = np.random.default_rng(1).uniform(-0.5, 0.5, (50_000, channels))
    data = write_audio(tmp_path / "song.wav", signal).read_bytes()
    expected = read_audio_id(tmp_path / "song.wav")
    place = data.index(b"data") + 4
    streamed = tmp_path / "streamed.wav"  # FFmpeg reads it, because its size is missing
    streamed.write_bytes(data[:place] + bytes(4) + data[place + 4 :])
    assert read_audio_id(streamed) == expected


def test_audio_of_an_unknown_coding_is_not_called_damaged(tmp_path: Path) -> None:
    path = encode(tmp_path / "song.m4a", "aac", music(2, seed=1, sample_rate=48_000), container="ipod")
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"drms").replace(b"esds", b"free"))
    with pytest.raises(UnreadableAudio) as caught:
        read(path)
    assert "undamaged" not in caught.value.remedy


def test_a_stream_that_changes_its_sample_rate_is_resampled_to_the_first_rate(tmp_path: Path) -> None:
    first = encode(tmp_path / "first.aac", "aac", music(3, seed=10, sample_rate=48_000))
    second = encode(tmp_path / "second.aac", "aac", music(3, seed=11, sample_rate=24_000), sample_rate=24_000)
    both = tmp_path / "both.aac"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    _, facts = read(both)
    assert facts.sample_rate == 48_000
    assert facts.seconds == pytest.approx(6, abs=0.3)


@pytest.mark.parametrize(("name", "coding"), [("song.m4a", "alac"), ("song.opus", "libopus"), ("song.wma", "wmav2")])
@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_file_is_read_or_refused_without_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, coding: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    path = encode(tmp_path / name, coding, music(2, seed, sample_rate=48_000))
    damaged = np.frombuffer(path.read_bytes(), np.uint8).copy()
    damaged[rng.integers(0, len(damaged), 1 + len(damaged) // 1_000)] = rng.integers(0, 256)
    path.write_bytes(damaged.tobytes())
    with suppress(AudioError):
        assert np.isfinite(read(path)[0]).all()
    assert capfd.readouterr() == ("", "")
