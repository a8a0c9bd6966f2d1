"""Tests of the excerpt of a file that a recognition service gets."""

import io
import tracemalloc
from itertools import pairwise
from pathlib import Path

import av
import mutagen
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.flac import Picture
from mutagen.id3 import APIC, ID3, TIT2

from mfcc_assets.audio.excerpt import MOST_BYTES, Excerpt, cut_excerpt
from mfcc_assets.errors import EmptyAudio, UnreadableAudio
from mfcc_assets_tests.audio_samples import encode, music, write_audio

COPIED = {
    "song.mp3": ("libmp3lame", "mp3"),
    "song.mka": ("libmp3lame", "matroska"),
    "song.m4a": ("aac", "ipod"),
    "song.aac": ("aac", "adts"),
    "song.mkv": ("aac", "matroska"),
    "song.opus": ("libopus", "ogg"),
    "song.webm": ("libopus", "webm"),
    "song.wma": ("wmav2", "asf"),
}
"""Files with lossy frames, and FFmpeg's names of codec and container."""

ENCODED = ["song.wav", "song.flac", "song.aiff", "alac.m4a", "flac.mka"]

SECONDS = 30


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Half a minute of music in every format that the decoders read."""
    folder, signal = tmp_path_factory.mktemp("samples"), music(SECONDS, seed=1, sample_rate=48_000)
    files = {
        name: encode(folder / name, codec, signal, container=container) for name, (codec, container) in COPIED.items()
    }
    files["song.ogg"] = write_audio(folder / "song.ogg", signal, sample_rate=48_000, channels=2)
    for name in ("song.wav", "song.flac", "song.aiff"):
        files[name] = write_audio(folder / name, signal, sample_rate=48_000, channels=2)
    files["alac.m4a"] = encode(folder / "alac.m4a", "alac", signal, container="ipod")
    files["flac.mka"] = encode(folder / "flac.mka", "flac", signal, container="matroska")
    return files


def packets(file: Path | io.BytesIO) -> list[bytes]:
    """Return the packets of the first audio stream, without their ADTS headers."""
    with av.open(file, "r") as container:
        adts = container.format.name == "aac"
        return [bytes(packet)[7 if adts else 0 :] for packet in container.demux(audio=0) if packet.size]


def decoded_seconds(excerpt: Excerpt) -> float:
    """Return the length of an excerpt as decoded. A frame with an error fails the test."""
    with av.open(io.BytesIO(excerpt.data), "r") as container:
        frames = list(container.decode(audio=0))
        return sum(frame.samples for frame in frames) / frames[0].sample_rate


@pytest.mark.parametrize("name", [*COPIED, "song.ogg", *ENCODED])
def test_an_excerpt_of_any_format_is_twelve_seconds_from_the_middle_without_decoding_errors(
    files: dict[str, Path], name: str
) -> None:
    excerpt = cut_excerpt(files[name])
    assert len(excerpt.data) <= MOST_BYTES
    assert excerpt.begin_seconds == pytest.approx((SECONDS - 12) / 2, abs=0.1)
    # ASF pads its packets. At 128 kbit/s the padding costs a second.
    assert 10 < excerpt.seconds <= 12
    assert decoded_seconds(excerpt) == pytest.approx(excerpt.seconds, abs=0.1)


@pytest.mark.parametrize("name", [*COPIED, "song.ogg"])
def test_lossy_frames_are_copied_unchanged(files: dict[str, Path], name: str) -> None:
    excerpt = cut_excerpt(files[name])
    original, copied = packets(files[name]), packets(io.BytesIO(excerpt.data))
    start = original.index(copied[0])
    assert original[start : start + len(copied)] == copied
    assert start / len(original) == pytest.approx(excerpt.begin_seconds / SECONDS, abs=0.01)


@pytest.mark.parametrize("name", ENCODED)
def test_lossless_audio_is_sent_as_mp3(files: dict[str, Path], name: str) -> None:
    assert (cut_excerpt(files[name]).suffix, cut_excerpt(files[name]).media_type) == (".mp3", "audio/mpeg")


@given(name=st.sampled_from([*COPIED, "song.ogg", "song.flac"]), most_bytes=st.integers(20_000, 300_000))
@settings(max_examples=15)
def test_no_excerpt_is_larger_than_the_limit(files: dict[str, Path], name: str, most_bytes: int) -> None:
    excerpt = cut_excerpt(files[name], most_bytes=most_bytes)
    assert len(excerpt.data) <= most_bytes
    # The excerpt is as long as fits, since no file here has more than 160 kbit/s.
    assert excerpt.seconds > min(11, (most_bytes - 6_000) / 25_000)
    assert decoded_seconds(excerpt) == pytest.approx(excerpt.seconds, abs=0.15)


@pytest.mark.parametrize("seconds", [1, 5, 11])
@pytest.mark.parametrize("name", ["short.mp3", "short.ogg", "short.wav"])
def test_a_short_file_is_sent_whole(tmp_path: Path, name: str, seconds: int) -> None:
    path = write_audio(tmp_path / name, music(seconds, seed=2), channels=2)
    excerpt = cut_excerpt(path)
    assert excerpt.begin_seconds == 0
    assert excerpt.seconds == pytest.approx(seconds, abs=0.1)


def test_a_long_file_is_cut_after_half_a_minute(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "long.mp3", music(100, seed=3, sample_rate=8_000), sample_rate=8_000)
    assert cut_excerpt(path).begin_seconds == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("name", ["song.mp3", "song.opus", "song.m4a", "song.flac", "song.wav"])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_a_file_that_breaks_off_gives_an_excerpt_of_the_rest(
    files: dict[str, Path], tmp_path: Path, name: str, share: float
) -> None:
    cut = tmp_path / name
    whole = files[name].read_bytes()
    cut.write_bytes(whole[: round(len(whole) * share)])
    if name == "song.m4a":
        # The index of an MP4 file is at its end.
        with pytest.raises(UnreadableAudio):
            cut_excerpt(cut)
        return
    excerpt = cut_excerpt(cut)
    # An Ogg file loses its last page, which is about a second.
    assert excerpt.seconds == pytest.approx(min(12, SECONDS * share), abs=1.1)
    assert decoded_seconds(excerpt) == pytest.approx(excerpt.seconds, abs=0.1)


def test_an_excerpt_contains_no_tags_pictures_or_file_name(files: dict[str, Path], tmp_path: Path) -> None:
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", np.random.default_rng(4).bytes(300_000)
    for name in ("song.mp3", "song.flac"):
        path = tmp_path / f"Confidential {name}"
        path.write_bytes(files[name].read_bytes())
        if name == "song.mp3":
            tags = ID3()
            tags.add(TIT2(text=["Confidential title"]))
            tags.add(APIC(mime="image/png", type=3, data=picture.data))
            tags.save(path)
        else:
            file = mutagen.File(path)
            file["title"] = "Confidential title"
            file.add_picture(picture)
            file.save()
        excerpt = cut_excerpt(path)
        assert b"Confidential" not in excerpt.data
        assert picture.data[1000:1100] not in excerpt.data
        assert excerpt.data == cut_excerpt(files[name]).data


def test_surround_sound_of_a_high_bit_rate_is_encoded_again(tmp_path: Path) -> None:
    path = tmp_path / "surround.m4a"
    noise = np.random.default_rng(5).normal(0, 0.2, (6, 48_000 * 13)).astype(np.float32)
    with av.open(path, "w", "ipod") as file:
        stream = file.add_stream("aac", 48_000, layout="5.1", format="fltp", bit_rate=640_000)
        for start in range(0, noise.shape[1] - 1024, 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(noise[:, start : start + 1024]), "fltp", "5.1")
            frame.sample_rate, frame.pts = 48_000, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    excerpt = cut_excerpt(path)
    assert (excerpt.suffix, excerpt.seconds) == (".mp3", 12)
    assert len(excerpt.data) <= MOST_BYTES


def test_huge_crafted_frames_are_not_collected_in_memory(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "crafted.m4a"
    with av.open(files["song.m4a"]) as source, av.open(path, "w", "ipod") as crafted:
        stream = crafted.add_stream_from_template(source.streams.audio[0])
        assert stream.time_base is not None
        # All frames begin at almost the same time, so that no frame ends late enough to stop the search.
        for number, frame in enumerate(packets(files["song.m4a"])[:600]):
            packet = av.Packet(frame + bytes(100_000))
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, stream.time_base, number, number
            crafted.mux(packet)

    tracemalloc.start()
    excerpt = cut_excerpt(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (excerpt.suffix, excerpt.seconds) == (".mp3", 12)
    assert most < path.stat().st_size / 4


def test_a_text_file_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "text.mp3"
    path.write_text("These are the words of the song.\n" * 300)
    with pytest.raises(UnreadableAudio) as refused:
        cut_excerpt(path)
    assert refused.value.subject == "text.mp3"


def test_a_file_without_samples_is_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyAudio):
        cut_excerpt(write_audio(tmp_path / "none.wav", np.empty(0)))


def test_the_repr_of_an_excerpt_omits_its_bytes(files: dict[str, Path]) -> None:
    assert "data" not in repr(cut_excerpt(files["song.mp3"]))


def test_the_packets_of_an_excerpt_are_in_order(files: dict[str, Path]) -> None:
    with av.open(io.BytesIO(cut_excerpt(files["song.opus"]).data), "r") as container:
        times = [packet.pts for packet in container.demux(audio=0) if packet.size]
    assert all(earlier is not None and later is not None and earlier < later for earlier, later in pairwise(times))
