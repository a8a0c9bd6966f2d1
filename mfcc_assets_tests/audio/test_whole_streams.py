"""Tests that all of the audio of a file is read, that lengths are no guesses, and that remarks tell what is missing."""

import struct
from collections.abc import Callable
from pathlib import Path

import mutagen.id3
import numpy as np
import pytest

from mfcc_assets.audio.reader import Audio, AudioLimits, read_audio_id
from mfcc_assets.errors import TooLong, UnreadableAudio
from mfcc_assets_tests.audio.test_reader import read
from mfcc_assets_tests.audio.test_signature import id3
from mfcc_assets_tests.audio_samples import encode, music, write_audio, write_music

# Name, encoder and muxer of FFmpeg.
CONTAINERS = [
    ("song.wav", "pcm_s16le", "wav"),
    ("song.w64", "pcm_s16le", "w64"),
    ("song.aiff", "pcm_s16be", "aiff"),
    ("song.au", "pcm_s16be", "au"),
    ("song.caf", "pcm_s16be", "caf"),
    ("song.tta", "tta", "tta"),
    ("song.wma", "wmav2", "asf"),
    ("song.m4a", "aac", "ipod"),
    ("song.wv", "wavpack", "wv"),
    ("song.mka", "flac", "matroska"),
]
STREAMS = [
    ("song.flv", "aac", "flv"),
    ("song.ac3", "ac3", "ac3"),
    ("song.avi", "mp2", "avi"),
    ("song.ts", "aac", "mpegts"),
    ("song.mpg", "mp2", "mpeg"),
]
ENDLESS = [
    ("song.ac3", "ac3", "ac3"),
    ("song.eac3", "eac3", "eac3"),
    ("song.ts", "aac", "mpegts"),
    ("song.mpg", "mp2", "mpeg"),
    ("song.rm", "ac3", "rm"),
    ("song.voc", "pcm_u8", "voc"),
]
"""Formats that do not tell where they end."""

NOISE = np.random.default_rng(0).bytes


def facts(path: Path, limits: AudioLimits | None = None) -> Audio:
    return read(path, limits)[1]


def written(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"".join(parts))
    return path


def without_header(mp3: Path) -> bytes:
    """Return the frames of an MP3 without the frame that declares its length."""
    data = mp3.read_bytes()
    begins = [place for place in range(4, len(data)) if data[place] == 0xFF and data[place + 1] == data[1]]
    assert data[:200].find(b"Xing") > 0 or data[:200].find(b"Info") > 0
    return data[begins[0] :]


def quiet_begin(seconds: float) -> np.ndarray:
    """Make music that begins with silence, which a variable bit rate encodes with a few bytes."""
    return np.concatenate([np.zeros(2 * 44_100), music(seconds - 2, seed=1)])


class TestLengthsAreNoGuesses:
    @pytest.mark.parametrize("seconds", [20, 60])
    def test_an_mp3_without_a_header_frame_has_the_length_that_is_decoded(self, tmp_path: Path, seconds: int) -> None:
        # The first frame is silent and small, so a guess from its size would be many times too long.
        plain = write_audio(tmp_path / "whole.mp3", quiet_begin(seconds))
        audio = facts(written(tmp_path / "song.mp3", without_header(plain)))
        assert audio.seconds == pytest.approx(seconds, abs=0.1)
        assert (audio.declared_seconds, audio.truncated, audio.remarks) == (0, False, ())

    def test_an_mp3_whose_later_frames_are_smaller_is_read_to_its_end(self, tmp_path: Path) -> None:
        signal = np.concatenate([music(2, seed=1), np.zeros(18 * 44_100)])
        plain = write_audio(tmp_path / "whole.mp3", signal)
        audio = facts(written(tmp_path / "song.mp3", without_header(plain)))
        assert audio.seconds == pytest.approx(20, abs=0.1)

    @pytest.mark.parametrize(
        "parts",
        [
            lambda song: [id3(500_000), song],
            lambda song: [song, b"LYRICSBEGIN" + 50_000 * b"la " + b"LYRICS200", b"TAG", bytes(125)],
            lambda song: [song, b"APETAGEX", struct.pack("<IIII8x", 2_000, 300_000, 1, 1 << 31), bytes(300_000)],
        ],
    )
    def test_pictures_lyrics_and_tags_are_no_audio(self, tmp_path: Path, parts: Callable[[bytes], list[bytes]]) -> None:
        song = without_header(write_music(tmp_path / "whole.mp3", 10, seed=1))
        audio = facts(written(tmp_path / "song.mp3", *parts(song)))
        assert audio.seconds == pytest.approx(10, abs=0.1)
        assert (audio.truncated, audio.remarks) == (False, ())

    def test_an_mp3_is_not_too_long_by_a_guess(self, tmp_path: Path) -> None:
        plain = write_audio(tmp_path / "whole.mp3", quiet_begin(20))
        path = written(tmp_path / "song.mp3", id3(2_000_000), without_header(plain))
        assert facts(path, AudioLimits(max_seconds=30)).seconds < 21

    def test_an_mp3_that_is_too_long_is_refused_before_it_is_decoded(self, tmp_path: Path) -> None:
        path = written(tmp_path / "song.mp3", without_header(write_music(tmp_path / "whole.mp3", 10, seed=1)))
        with pytest.raises(TooLong):
            read_audio_id(path, AudioLimits(max_seconds=9))

    def test_a_header_that_declares_ten_hours_does_not_refuse_a_short_file(self, tmp_path: Path) -> None:
        data = bytearray(write_music(tmp_path / "song.flac", 3, seed=1).read_bytes())
        data[21:26] = bytes([data[21] & 0xF0]) + struct.pack(">I", 36_000 * 44_100)
        assert facts(written(tmp_path / "lie.flac", bytes(data))).seconds == 3

    @pytest.mark.parametrize("total", [0, (1 << 36) - 1])
    def test_a_flac_that_does_not_know_its_length_is_read_to_its_end(self, tmp_path: Path, total: int) -> None:
        data = bytearray(write_music(tmp_path / "song.flac", 3, seed=1).read_bytes())
        data[21:26] = bytes([data[21] & 0xF0 | total >> 32]) + struct.pack(">I", total & 0xFFFFFFFF)
        audio = facts(written(tmp_path / "streamed.flac", bytes(data)))
        assert (audio.seconds, audio.truncated) == (3, False)

    @pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 1_000, 44_100])
    def test_a_wav_whose_size_was_never_completed_is_read_to_its_end(self, tmp_path: Path, size: int) -> None:
        data = write_music(tmp_path / "song.wav", 3, seed=1).read_bytes()
        place = data.index(b"data") + 4
        path = written(tmp_path / "streamed.wav", data[:place], struct.pack("<I", size), data[place + 4 :])
        audio = facts(path)
        assert (audio.seconds, audio.truncated) == (3, False)
        assert audio.audio_id == read_audio_id(tmp_path / "song.wav")

    def test_a_long_tag_behind_the_samples_of_a_wav_is_no_audio(self, tmp_path: Path) -> None:
        data = write_music(tmp_path / "song.wav", 3, seed=1).read_bytes()
        tag = b"id3 " + struct.pack("<I", 200_010) + id3(200_000)
        assert facts(written(tmp_path / "tagged.wav", data, tag)).seconds == 3

    @pytest.mark.parametrize(
        ("name", "coding", "container"),
        [("song.wma", "wmav2", "asf"), ("song.wv", "wavpack", "wv"), ("song.tta", "tta", "tta")],
    )
    def test_a_file_that_is_cut_off_has_the_declared_length_of_the_whole(
        self, tmp_path: Path, name: str, coding: str, container: str
    ) -> None:
        data = encode(tmp_path / name, coding, music(10, seed=1, sample_rate=48_000), container=container).read_bytes()
        audio = facts(written(tmp_path / f"cut {name}", data[: len(data) // 2]))
        assert audio.truncated
        assert audio.declared_seconds == pytest.approx(10, abs=0.1)

    @pytest.mark.parametrize("flags", ["frag_keyframe+empty_moov", "faststart"])
    def test_fragmented_files_are_read_to_their_end(self, tmp_path: Path, flags: str) -> None:
        path = encode(
            tmp_path / "song.m4a",
            "aac",
            music(10, seed=1, sample_rate=48_000),
            container="mp4",
            options={"movflags": flags, "frag_duration": "1000000"},
        )
        audio = facts(path)
        assert audio.seconds == pytest.approx(10, abs=0.1)
        assert not audio.truncated

    @pytest.mark.parametrize(("name", "coding", "container"), CONTAINERS)
    def test_a_file_that_is_cut_in_half_is_told(self, tmp_path: Path, name: str, coding: str, container: str) -> None:
        data = encode(tmp_path / f"whole{name}", coding, music(8, seed=1, sample_rate=48_000), container=container)
        content = data.read_bytes()
        whole = facts(data)
        assert (whole.truncated, whole.remarks) == (False, ())
        half = written(tmp_path / name, content[: len(content) // 2])
        if container == "ipod":  # the index of an MP4 is at its end
            with pytest.raises(UnreadableAudio):
                facts(half)
        else:
            assert facts(half).truncated

    @pytest.mark.parametrize("suffix", ["ogg", "opus"])
    @pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
    def test_an_ogg_file_without_its_end_gets_a_remark(self, tmp_path: Path, suffix: str, share: float) -> None:
        whole = write_audio(tmp_path / f"whole.{suffix}", music(6, seed=1, sample_rate=48_000), 48_000)
        assert facts(whole).remarks == ()
        data = whole.read_bytes()
        audio = facts(written(tmp_path / f"cut.{suffix}", data[: int(share * len(data))]))
        assert "its end is missing: the stream has no last page" in audio.remarks


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the same music in several formats, and other music at half the sample rate with one channel."""
    folder = tmp_path_factory.mktemp("songs")
    for suffix in ("mp3", "flac", "ogg"):
        write_music(folder / f"first.{suffix}", 4, seed=1, channels=2)
        write_music(folder / f"same.{suffix}", 3, seed=2, channels=2)
        write_music(folder / f"other.{suffix}", 3, seed=2, sample_rate=22_050)
    for name, rate in (("first", 48_000), ("same", 48_000), ("other", 24_000)):
        signal = music(4 if name == "first" else 3, seed=1, sample_rate=rate)
        encode(folder / f"{name}.opus", "libopus", signal, rate)
        encode(folder / f"{name}.oga", "flac", signal, rate, container="ogg")
        encode(folder / f"{name}.aac", "aac", signal, rate)
    return folder


class TestJoinedFiles:
    @pytest.mark.parametrize("second", ["same", "other"])
    @pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "opus", "oga", "aac"])
    def test_files_that_were_joined_are_read_to_the_end(
        self, songs: Path, tmp_path: Path, suffix: str, second: str
    ) -> None:
        first, then = (songs / f"{name}.{suffix}" for name in ("first", second))
        signal, audio = read(written(tmp_path / f"both.{suffix}", first.read_bytes(), then.read_bytes()))
        assert audio.seconds == pytest.approx(7, abs=0.15)
        assert (audio.sample_rate, audio.channels, audio.truncated) == (facts(first).sample_rate, 2, False)
        assert audio.remarks == ()
        alone = read(first)[0]
        np.testing.assert_allclose(signal[: len(alone)], alone, atol=1e-4)
        assert np.std(signal[-80_000:]) == pytest.approx(np.std(read(then)[0][-80_000:]), rel=0.1)

    def test_tags_between_joined_mp3s_are_left_out(self, songs: Path, tmp_path: Path) -> None:
        first, second = (songs / f"{name}.mp3" for name in ("first", "same"))
        tags = mutagen.id3.ID3()
        tags.add(mutagen.id3.APIC(mime="image/jpeg", data=NOISE(300_000)))
        tags.save(tmp_path / "tags")
        tag = (tmp_path / "tags").read_bytes()
        joined = [tag, first.read_bytes(), b"TAG", bytes(125), tag, second.read_bytes(), b"TAG", bytes(125)]
        audio = facts(written(tmp_path / "both.mp3", *joined))
        assert audio.seconds == pytest.approx(7, abs=0.01)
        assert (audio.truncated, audio.remarks) == (False, ())

    @pytest.mark.parametrize("second", ["same", "other"])
    @pytest.mark.parametrize(("name", "coding", "container"), CONTAINERS + STREAMS)
    def test_files_of_a_container_that_were_joined_are_read_to_the_end(
        self, tmp_path: Path, name: str, coding: str, container: str, second: str
    ) -> None:
        rate = 48_000 if second == "same" else 32_000
        first = encode(tmp_path / f"1{name}", coding, music(4, seed=1, sample_rate=48_000), container=container)
        then = encode(tmp_path / f"2{name}", coding, music(3, seed=2, sample_rate=rate), rate, container)
        lengths = [facts(path).seconds for path in (first, then)]
        audio = facts(written(tmp_path / name, first.read_bytes(), then.read_bytes()))
        assert audio.seconds == pytest.approx(sum(lengths), abs=0.15)
        assert (audio.truncated, audio.remarks) == (False, ())

    @pytest.mark.parametrize("last", ["flac", "ogg", "opus", "wav", "mp3"])
    @pytest.mark.parametrize("first", ["mp3", "wav", "aiff", "ogg", "aac", "flac"])
    def test_files_of_two_formats_that_were_joined_are_read_to_the_end(
        self, songs: Path, tmp_path: Path, first: str, last: str
    ) -> None:
        for suffix in ("wav", "aiff"):
            write_music(songs / f"first.{suffix}", 4, seed=1, channels=2)
            write_music(songs / f"same.{suffix}", 3, seed=2, channels=2)
        one, two = songs / f"first.{first}", songs / f"same.{last}"
        behind = [b"TAG", bytes(125)] if first == "mp3" else []
        before = [id3(2_000)] if last == "mp3" else []
        audio = facts(written(tmp_path / "both", one.read_bytes(), *behind, *before, two.read_bytes()))
        assert audio.seconds == pytest.approx(7, abs=0.15)
        assert (audio.truncated, audio.remarks) == (False, ())

    @pytest.mark.parametrize("last", ["flac", "ogg", "mp3", "aac", "bare.mp3"])
    @pytest.mark.parametrize(("name", "coding", "container"), ENDLESS)
    def test_a_file_behind_one_that_does_not_tell_its_end_is_read(
        self, songs: Path, tmp_path: Path, name: str, coding: str, container: str, last: str
    ) -> None:
        first = encode(tmp_path / name, coding, music(4, seed=1, sample_rate=48_000), container=container)
        second = songs / f"same.{last.removeprefix('bare.')}"
        behind = without_header(second) if last == "bare.mp3" else second.read_bytes()
        audio = facts(written(tmp_path / "both", first.read_bytes(), behind))
        assert audio.seconds == pytest.approx(facts(first).seconds + 3, abs=0.15)
        assert (audio.truncated, audio.remarks) == (False, ())

    def test_three_files_of_three_formats_are_read_to_the_end(self, songs: Path, tmp_path: Path) -> None:
        parts = [(songs / f"same.{suffix}").read_bytes() for suffix in ("flac", "mp3", "ogg")]
        audio = facts(written(tmp_path / "all", *parts))
        assert audio.seconds == pytest.approx(9, abs=0.15)
        assert audio.remarks == ()

    @pytest.mark.parametrize("mark", [b"ftyp", b"ID3\x04", b"OggS", b"RIFF", b"wvpk", b"\xff\xfb\x90\x00"])
    def test_samples_that_look_like_the_beginning_of_a_file_begin_none(self, tmp_path: Path, mark: bytes) -> None:
        # The samples of noise are in the file as they are, since they cannot be compressed.
        samples = np.random.default_rng(0).integers(-32_768, 32_767, 5 * 44_100, endpoint=True).astype(">i2")
        samples[100_000:100_002] = np.frombuffer(mark, ">i2")
        path = write_audio(tmp_path / "noise.flac", samples.astype(np.int16))
        assert mark in path.read_bytes()
        assert (facts(path).seconds, facts(path).remarks) == (5, ())

    def test_a_chain_without_its_end_gets_a_remark(self, songs: Path, tmp_path: Path) -> None:
        chain = (songs / "first.ogg").read_bytes() + (songs / "same.ogg").read_bytes()
        audio = facts(written(tmp_path / "cut.ogg", chain[:-5_000]))
        assert audio.seconds > 5
        assert audio.remarks == ("its end is missing: the stream has no last page",)

    @pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac"])
    def test_a_part_that_cannot_be_decoded_is_left_out_with_a_remark(
        self, songs: Path, tmp_path: Path, suffix: str
    ) -> None:
        first, last = (songs / f"{name}.{suffix}" for name in ("first", "same"))
        broken = {
            "mp3": b"",
            "ogg": b"".join(b"OggS\x00" + kind + bytes(20) + b"\x01\x09not audio" for kind in (b"\x02", b"\x00")),
            "flac": b"fLaC\x00\x00\x00\x22" + bytes(34),
        }[suffix]
        audio = facts(written(tmp_path / f"all.{suffix}", first.read_bytes(), broken, last.read_bytes()))
        assert audio.seconds == pytest.approx(7, abs=0.1)
        expected = () if suffix == "mp3" else ("part 2 of 3 cannot be decoded and is left out",)
        assert audio.remarks == expected


class TestOtherBytes:
    @pytest.mark.parametrize(
        "front", [bytes(65_536), id3(2_000) + bytes(70_000), b"<html>" + 20_000 * b"junk ", NOISE(5_000)]
    )
    @pytest.mark.parametrize("suffix", ["mp3", "aac"])
    def test_bytes_before_the_first_frame_are_skipped(
        self, songs: Path, tmp_path: Path, front: bytes, suffix: str
    ) -> None:
        song = songs / f"first.{suffix}"
        audio = facts(written(tmp_path / f"song.{suffix}", front, song.read_bytes()))
        assert audio.seconds == pytest.approx(facts(song).seconds, abs=0.06)
        assert (audio.truncated, audio.remarks) == (False, ())

    @pytest.mark.parametrize("suffix", ["flac", "wav", "ogg"])
    def test_a_tag_before_or_behind_the_audio_does_not_change_it(self, tmp_path: Path, suffix: str) -> None:
        song = write_music(tmp_path / f"song.{suffix}", 4, seed=1)
        for parts in ((id3(3_000), song.read_bytes()), (song.read_bytes(), b"TAG", 125 * b"x")):
            audio = facts(written(tmp_path / f"tagged.{suffix}", *parts))
            assert (audio.seconds, audio.truncated, audio.remarks) == (4, False, ())
            if suffix != "ogg":
                assert audio.audio_id == read_audio_id(song)

    @pytest.mark.parametrize("noise", [NOISE(20_000), bytes(20_000)])
    @pytest.mark.parametrize(("suffix", "seconds"), [("mp3", 7.9), ("aac", 8.8), ("flac", 9.7)])
    def test_decoding_goes_on_behind_damage_with_a_remark(
        self, tmp_path: Path, suffix: str, seconds: float, noise: bytes
    ) -> None:
        signal = 0.1 * np.random.default_rng(1).standard_normal(10 * 48_000)
        path = tmp_path / f"song.{suffix}"
        if suffix == "aac":
            encode(path, "aac", signal)
        else:
            write_audio(path, signal, sample_rate=48_000)
        data, middle = path.read_bytes(), path.stat().st_size // 2
        audio = facts(written(tmp_path / f"damaged.{suffix}", data[:middle], noise, data[middle + len(noise) :]))
        assert audio.seconds == pytest.approx(seconds, abs=0.1)
        assert audio.remarks[0].startswith("damaged")
        assert audio.truncated == (suffix == "mp3")  # its header declares ten seconds, and two are lost

    @pytest.mark.parametrize("suffix", ["ogg", "flac"])
    def test_less_than_a_second_of_damage_is_told_too(self, tmp_path: Path, suffix: str) -> None:
        data = bytearray(write_music(tmp_path / f"song.{suffix}", 10, seed=1).read_bytes())
        data[len(data) // 2] ^= 0xFF
        audio = facts(written(tmp_path / f"bit.{suffix}", bytes(data)))
        assert audio.seconds > 9
        assert not audio.truncated
        assert audio.remarks[0].startswith("damaged")
