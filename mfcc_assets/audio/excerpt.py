"""A short piece of a file that says what is played in it: what a recognition service is sent instead of the file."""

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import av
from av.container import InputContainer

from mfcc_assets.audio.decoders import open_decoder
from mfcc_assets.audio.reencode import Chain, reencode
from mfcc_assets.errors import EmptyAudio, UnreadableAudio

MOST_BYTES = 200_000

# AudD listens to 12 s, and ACRCloud asks for less than 15 s. Both are sure of music after a few seconds.
MOST_SECONDS = 12.0

# Lossy streams of more than 400 kbit/s, such as surround sound, would fill the bytes sooner: they are encoded again.
_LEAST_COPIED_SECONDS = 4.0

# An introduction is often silence, speech or applause.
_BEGIN_SECONDS = 30.0

# Only what is opened by name, and no playlist: see `mfcc_assets.audio.decoders`.
_INPUT_OPTIONS = {"format_whitelist": "aac,asf,matroska,mov,mp3,ogg", "protocol_whitelist": "file"}

# Of an MP3 in stereo: 12 s are 144 kB.
_SAMPLE_RATE, _BIT_RATE = 44_100, 96_000

# LAME adds a frame or two at either end, and FFmpeg a header.
_MOST_OVERHEAD = 3_000

# Half a minute and a sample of the shortest frames, of 2.5 ms, are fewer. A crafted index names more.
_MOST_FRAMES = 20_000

# 42 s of 760 kbit/s. A crafted index names the same bytes for every frame: an MP4 of 280 kB took 4 GB of memory.
_MOST_READ_BYTES = 4_000_000


class _Container(NamedTuple):
    """What a stream is copied into: FFmpeg's name of it, and its options against what is no music."""

    suffix: str
    media_type: str
    muxer: str
    options: dict[str, str]


_MP3 = _Container(".mp3", "audio/mpeg", "mp3", {"write_xing": "0", "id3v2_version": "0"})
_OGG = _Container(".ogg", "audio/ogg", "ogg", {})
_ASF = _Container(".wma", "audio/x-ms-wma", "asf", {})

# Lossless streams are missing: 200 kB of them are a second or two, and as an MP3 they are as recognisable.
_CONTAINERS = {
    "aac": _Container(".aac", "audio/aac", "adts", {}),
    "mp3": _MP3,
    "mp3float": _MP3,
    "opus": _OGG,
    "vorbis": _OGG,
    "wmav1": _ASF,
    "wmav2": _ASF,
}


@dataclass(frozen=True)
class Sample:
    """A stretch of a file, without its tags, pictures and name.

    Attributes
    ----------
    data
        An audio file.
    suffix, media_type
        Of that file, as ``.mp3`` and ``audio/mpeg``.
    begin_seconds
        Where the stretch begins in the original.
    seconds
        Its length.
    """

    data: bytes = field(repr=False)
    suffix: str
    media_type: str
    begin_seconds: float
    seconds: float


class _Frame(NamedTuple):
    """One packet of a stream, which decodes to a frame of audio; times are in seconds, and multiples of the tick."""

    data: bytes
    begin: Fraction
    end: Fraction
    tick: Fraction


def cut_sample(path: Path, *, most_bytes: int = MOST_BYTES) -> Sample:
    """Cut a sample of at most 12 s out of a file, from where its music is under way.

    The frames of a lossy stream are copied as they are. Where that is not possible, or would be too short, they are
    encoded as MP3.

    Parameters
    ----------
    most_bytes
        The sample is never larger.

    Raises
    ------
    UnreadableAudio
        No decoder makes sense of the file, or no encoder of its samples.
    EmptyAudio
        Its stream holds no samples.
    OSError
        The file cannot be opened at all.
    """
    copied = _copied(path, most_bytes)
    if copied is not None and copied.seconds >= _LEAST_COPIED_SECONDS:
        return copied
    encoded = _encoded(path, most_bytes)
    # The file itself may be as short as that.
    return copied if copied is not None and copied.seconds >= encoded.seconds else encoded


def _begin(seconds: float) -> float:
    """Where the sample of so many seconds of audio begins: short audio is cut out of its middle."""
    return min(_BEGIN_SECONDS, max(0.0, (seconds - MOST_SECONDS) / 2))


def _copied(path: Path, most_bytes: int) -> Sample | None:
    """Whole frames of the file's first audio stream; None where they cannot be copied."""
    try:
        with path.open("rb") as file, av.open(file, "r", options=_INPUT_OPTIONS, metadata_errors="ignore") as source:
            if not source.streams.audio:
                return None
            stream = source.streams.audio[0]
            container = _CONTAINERS.get(stream.codec_context.name)
            if container is None:
                return None
            frames = _frames(source, stream, _begin((source.duration or 0) / av.time_base))
            return _fitted(stream, container, frames, most_bytes)
    except av.FFmpegError:
        return None


def _frames(source: InputContainer, stream: av.AudioStream, begin: float) -> Sequence[_Frame]:
    """The frames of the sample; where the file ends early, its last ones."""
    frames, read = [], 0
    for frame in islice(_all_frames(source, stream), _MOST_FRAMES):
        frames.append(frame)
        read += len(frame.data)
        if frame.end >= begin + MOST_SECONDS or read > _MOST_READ_BYTES:
            break
    if not frames:
        return frames
    begin = max(0.0, min(begin, float(frames[-1].end) - MOST_SECONDS))
    return [frame for frame in frames if frame.begin >= begin and frame.end <= begin + MOST_SECONDS]


def _all_frames(source: InputContainer, stream: av.AudioStream) -> Iterator[_Frame]:
    start: Fraction | None = None
    for packet in source.demux(stream):
        if packet.size and packet.pts is not None and packet.time_base is not None:
            begin = packet.pts * packet.time_base
            start = begin if start is None else start
            end = begin + (packet.duration or 0) * packet.time_base
            yield _Frame(bytes(packet), begin - start, end - start, packet.time_base)


def _fitted(stream: av.AudioStream, container: _Container, frames: Sequence[_Frame], most_bytes: int) -> Sample | None:
    """As many of the frames as make no larger file: a container adds up to a fifth, which only writing it tells."""
    while frames:
        data = _muxed(stream, container, frames)
        if len(data) <= most_bytes:
            seconds = frames[-1].end - frames[0].begin
            return Sample(data, container.suffix, container.media_type, float(frames[0].begin), float(seconds))
        frames = frames[: min(len(frames) - 1, len(frames) * most_bytes // len(data))]
    return None


def _muxed(stream: av.AudioStream, container: _Container, frames: Sequence[_Frame]) -> bytes:
    """A file of frames alone: what else the original's container holds is not copied."""
    file, tick = io.BytesIO(), frames[0].tick
    with av.open(file, "w", format=container.muxer, options=container.options) as target:
        copy = target.add_stream_from_template(stream)
        for frame in frames:
            packet = av.Packet(frame.data)
            packet.stream, packet.time_base = copy, tick
            packet.pts = packet.dts = round((frame.begin - frames[0].begin) / tick)
            packet.duration = round((frame.end - frame.begin) / tick)
            target.mux(packet)
    return file.getvalue()


def _encoded(path: Path, most_bytes: int) -> Sample:
    with closing(open_decoder(path, path.name)) as decoder:
        begin = _begin(decoder.declared_seconds)
    encoded = _encoded_from(path, begin, most_bytes)
    if begin > 0 and encoded.seconds < MOST_SECONDS:
        # The file breaks off within the sample, or before it begins.
        encoded = max(encoded, _encoded_from(path, 0.0, most_bytes), key=lambda sample: sample.seconds)
    if not encoded.seconds:
        raise EmptyAudio("the stream holds no samples", subject=path.name, remedy="Supply the file again")
    return encoded


def _encoded_from(path: Path, begin: float, most_bytes: int) -> Sample:
    seconds = min(MOST_SECONDS, 8 * (most_bytes - _MOST_OVERHEAD) / _BIT_RATE)
    with TemporaryDirectory() as folder:
        target = Path(folder, f"sample{_MP3.suffix}")
        try:
            reencode(path, target, Chain(_SAMPLE_RATE, _BIT_RATE, gain=0.0, begin=begin, seconds=seconds))
        except av.FFmpegError as error:
            raise UnreadableAudio(
                "its samples cannot be encoded", subject=path.name, remedy="Export the file again at 44,100 Hz"
            ) from error
        # Nothing is written where there is nothing to encode.
        data = target.read_bytes() if target.exists() else b""
    return Sample(data, _MP3.suffix, _MP3.media_type, begin, min(seconds, 8 * len(data) / _BIT_RATE))
