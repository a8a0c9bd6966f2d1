"""The piece of a file that a recognition service is sent."""

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

from mfcc_assets.audio.excerpt import MOST_BYTES, Sample, cut_sample
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
"""Files with lossy frames, and what FFmpeg calls codec and container."""

ENCODED = ["song.wav", "song.flac", "song.aiff", "alac.m4a", "flac.mka"]

SECONDS = 30


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Half a minute of music in every format that is read."""
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
    """The first audio stream's, without the header that ADTS puts before each."""
    with av.open(file) as container:
        adts = container.format.name == "aac"
        return [bytes(packet)[7 if adts else 0 :] for packet in container.demux(audio=0) if packet.size]


def decoded_seconds(sample: Sample) -> float:
    """How much of a sample a decoder makes sense of; every one of its frames must be without fault."""
    with av.open(io.BytesIO(sample.data)) as container:
        frames = list(container.decode(audio=0))
        return sum(frame.samples for frame in frames) / frames[0].sample_rate


@pytest.mark.parametrize("name", [*COPIED, "song.ogg", *ENCODED])
def test_a_sample_of_any_format_is_twelve_seconds_from_the_midst_that_decode_without_error(
    files: dict[str, Path], name: str
) -> None:
    sample = cut_sample(files[name])
    assert len(sample.data) <= MOST_BYTES
    assert sample.begin_seconds == pytest.approx((SECONDS - 12) / 2, abs=0.1)
    # ASF fills its packets up: at 128 kbit/s that takes a second away.
    assert 10 < sample.seconds <= 12
    assert decoded_seconds(sample) == pytest.approx(sample.seconds, abs=0.1)


@pytest.mark.parametrize("name", [*COPIED, "song.ogg"])
def test_lossy_frames_are_copied_as_they_are(files: dict[str, Path], name: str) -> None:
    sample = cut_sample(files[name])
    original, copied = packets(files[name]), packets(io.BytesIO(sample.data))
    start = original.index(copied[0])
    assert original[start : start + len(copied)] == copied
    assert start / len(original) == pytest.approx(sample.begin_seconds / SECONDS, abs=0.01)


@pytest.mark.parametrize("name", ENCODED)
def test_lossless_audio_is_sent_as_mp3(files: dict[str, Path], name: str) -> None:
    assert (cut_sample(files[name]).suffix, cut_sample(files[name]).media_type) == (".mp3", "audio/mpeg")


@given(name=st.sampled_from([*COPIED, "song.ogg", "song.flac"]), most_bytes=st.integers(20_000, 300_000))
@settings(max_examples=15, deadline=None)
def test_no_sample_is_larger_than_it_may_be(files: dict[str, Path], name: str, most_bytes: int) -> None:
    sample = cut_sample(files[name], most_bytes=most_bytes)
    assert len(sample.data) <= most_bytes
    # As much as fits: nothing here has more than 160 kbit/s.
    assert sample.seconds > min(11, (most_bytes - 6_000) / 25_000)
    assert decoded_seconds(sample) == pytest.approx(sample.seconds, abs=0.15)


@pytest.mark.parametrize("seconds", [1, 5, 11])
@pytest.mark.parametrize("name", ["short.mp3", "short.ogg", "short.wav"])
def test_a_short_file_is_sent_whole(tmp_path: Path, name: str, seconds: int) -> None:
    path = write_audio(tmp_path / name, music(seconds, seed=2), channels=2)
    sample = cut_sample(path)
    assert sample.begin_seconds == 0
    assert sample.seconds == pytest.approx(seconds, abs=0.1)


def test_a_long_file_is_cut_after_half_a_minute(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "long.mp3", music(100, seed=3, sample_rate=8_000), sample_rate=8_000)
    assert cut_sample(path).begin_seconds == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize("name", ["song.mp3", "song.opus", "song.m4a", "song.flac", "song.wav"])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_of_a_file_that_breaks_off_there_is_a_sample_of_what_is_left(
    files: dict[str, Path], tmp_path: Path, name: str, share: float
) -> None:
    cut = tmp_path / name
    whole = files[name].read_bytes()
    cut.write_bytes(whole[: round(len(whole) * share)])
    if name == "song.m4a":
        # Its index is at the end.
        with pytest.raises(UnreadableAudio):
            cut_sample(cut)
        return
    sample = cut_sample(cut)
    # Of an Ogg file the last second is lost, which is its last page.
    assert sample.seconds == pytest.approx(min(12, SECONDS * share), abs=1.1)
    assert decoded_seconds(sample) == pytest.approx(sample.seconds, abs=0.1)


def test_neither_tags_nor_pictures_nor_the_file_name_are_sent(files: dict[str, Path], tmp_path: Path) -> None:
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
        sample = cut_sample(path)
        assert b"Confidential" not in sample.data
        assert picture.data[1000:1100] not in sample.data
        assert sample.data == cut_sample(files[name]).data


def test_surround_sound_that_would_fill_the_sample_within_seconds_is_encoded_again(tmp_path: Path) -> None:
    path = tmp_path / "surround.m4a"
    noise = np.random.default_rng(5).normal(0, 0.2, (6, 48_000 * 13)).astype(np.float32)
    with av.open(path, "w", "ipod") as file:
        stream = file.add_stream("aac", 48_000, layout="5.1", format="fltp", bit_rate=640_000)
        for start in range(0, noise.shape[1] - 1024, 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(noise[:, start : start + 1024]), "fltp", "5.1")
            frame.sample_rate, frame.pts = 48_000, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    sample = cut_sample(path)
    assert (sample.suffix, sample.seconds) == (".mp3", 12)
    assert len(sample.data) <= MOST_BYTES


def test_frames_that_hold_more_than_sound_are_not_gathered(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "crafted.m4a"
    with av.open(files["song.m4a"]) as source, av.open(path, "w", "ipod") as crafted:
        stream = crafted.add_stream_from_template(source.streams.audio[0])
        # All of them begin almost at once, so that their end does not tell that there are enough.
        for number, frame in enumerate(packets(files["song.m4a"])[:600]):
            packet = av.Packet(frame + bytes(100_000))
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, stream.time_base, number, number
            crafted.mux(packet)

    tracemalloc.start()
    sample = cut_sample(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (sample.suffix, sample.seconds) == (".mp3", 12)
    assert most < path.stat().st_size / 4


def test_what_is_no_audio_is_refused_by_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "text.mp3"
    path.write_text("These are the words of the song.\n" * 300)
    with pytest.raises(UnreadableAudio) as refused:
        cut_sample(path)
    assert refused.value.subject == "text.mp3"


def test_a_file_without_a_frame_is_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyAudio):
        cut_sample(write_audio(tmp_path / "none.wav", np.empty(0)))


def test_a_sample_does_not_print_its_audio(files: dict[str, Path]) -> None:
    assert "data" not in repr(cut_sample(files["song.mp3"]))


def test_its_packets_are_in_order(files: dict[str, Path]) -> None:
    with av.open(io.BytesIO(cut_sample(files["song.opus"]).data)) as container:
        times = [packet.pts for packet in container.demux(audio=0) if packet.size]
    assert all(earlier < later for earlier, later in pairwise(times))
