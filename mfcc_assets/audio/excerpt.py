"""Cuts a short excerpt out of a file, which a recognition service gets instead of the whole file."""

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
from mfcc_assets.audio.ffmpeg import options_for_formats
from mfcc_assets.audio.reencode import Chain, reencode
from mfcc_assets.errors import EmptyAudio, UnreadableAudio

MOST_BYTES = 200_000
"""Largest excerpt in bytes, as in the article."""

MOST_SECONDS = 12.0
"""Longest excerpt in seconds. AudD listens to 12 s, ACRCloud asks for less than 15 s, and both need only a few
seconds."""

_LEAST_COPIED_SECONDS = 4.0
"""If the copied frames are shorter than this, in seconds, the audio is encoded as MP3 instead. Streams of more than
400 kbit/s, such as surround sound, reach the size limit that early."""

_BEGIN_SECONDS = 30.0
"""Position at which the excerpt of a long file begins. Introductions are often silence, speech or applause."""

_FORMATS = ("aac", "asf", "matroska", "mov", "mp3", "ogg")
"""Formats from which frames can be copied."""

_SAMPLE_RATE, _BIT_RATE = 44_100, 96_000
"""Sample rate and bit rate of encoded excerpts. An excerpt of 12 s has 144 kB."""

_MOST_OVERHEAD = 3_000
"""Bytes that an encoded excerpt may have beyond its bit rate: one or two frames at each end, and a header."""

_MOST_FRAMES = 20_000
"""Most frames that are read. This covers 42 s of the shortest frames, of 2.5 ms. A crafted index may list more."""

_MOST_READ_BYTES = 4_000_000
"""Most bytes that are read, enough for 42 s at 760 kbit/s. A crafted index may list the same bytes for every frame, so
that a small file would need gigabytes of memory."""


class _Container(NamedTuple):
    """A file format into which a stream can be copied, with FFmpeg's name for it and options that omit metadata."""

    suffix: str
    media_type: str
    muxer: str
    options: dict[str, str]


_MP3 = _Container(".mp3", "audio/mpeg", "mp3", {"write_xing": "0", "id3v2_version": "0"})
_OGG = _Container(".ogg", "audio/ogg", "ogg", {})
_ASF = _Container(".wma", "audio/x-ms-wma", "asf", {})

_CONTAINERS = {
    "aac": _Container(".aac", "audio/aac", "adts", {}),
    "mp3": _MP3,
    "mp3float": _MP3,
    "opus": _OGG,
    "vorbis": _OGG,
    "wmav1": _ASF,
    "wmav2": _ASF,
}
"""Containers for each codec whose frames are copied. Lossless codecs are missing: 200 kB of them hold only a second or
two, and services recognise an MP3 equally well."""


@dataclass(frozen=True)
class Excerpt:
    """A part of a file as a separate file, without the tags, the pictures and the name of the original.

    Attributes
    ----------
    data
        Bytes of the audio file.
    suffix, media_type
        Suffix and media type of its format, such as ``.mp3`` and ``audio/mpeg``.
    begin_seconds
        Position in the original where the excerpt begins, in seconds.
    seconds
        Length of the excerpt in seconds.
    """

    data: bytes = field(repr=False)
    suffix: str
    media_type: str
    begin_seconds: float
    seconds: float


class _Frame(NamedTuple):
    """One packet of a stream, which decodes to one frame of audio. Times are in seconds and are multiples of `tick`."""

    data: bytes
    begin: Fraction
    end: Fraction
    tick: Fraction


def cut_excerpt(path: Path, *, begin_seconds: float | None = None, most_bytes: int = MOST_BYTES) -> Excerpt:
    """Cut an excerpt of at most 12 s out of a file, from a position where the music has begun.

    The frames of a lossy stream are copied unchanged. If that is not possible or gives too short an excerpt, the audio
    is encoded as MP3.

    Parameters
    ----------
    path
        The file.
    begin_seconds
        Position at which the excerpt begins. The default is `usual_begin` of the length that the file declares. The
        excerpt begins earlier if the file ends too soon.
    most_bytes
        Largest size of the excerpt.

    Raises
    ------
    UnreadableAudio
        If no decoder can read the file, or its samples cannot be encoded.
    EmptyAudio
        If the stream has no samples.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> from importlib.resources import files
    >>> excerpt = cut_excerpt(Path(str(files("mfcc_assets.demo"))) / "uploads" / "caribbean.mp3")
    >>> excerpt.media_type, round(excerpt.begin_seconds), round(excerpt.seconds)
    ('audio/mpeg', 3, 12)
    """
    copied = _copied(path, begin_seconds, most_bytes)
    if copied is not None and copied.seconds >= _LEAST_COPIED_SECONDS:
        return copied
    encoded = _encoded(path, begin_seconds, most_bytes)
    # A file can itself be shorter than that. The copy is then kept.
    return copied if copied is not None and copied.seconds >= encoded.seconds else encoded


def usual_begin(seconds: float) -> float:
    """Return where the excerpt of audio of that length begins. The excerpt of short audio is from its middle."""
    return min(_BEGIN_SECONDS, max(0.0, (seconds - MOST_SECONDS) / 2))


def _copied(path: Path, begin_seconds: float | None, most_bytes: int) -> Excerpt | None:
    """Copy frames of the first audio stream. Return None if they cannot be copied."""
    try:
        options = options_for_formats(_FORMATS)
        with path.open("rb") as file, av.open(file, "r", options=options, metadata_errors="ignore") as source:
            if not source.streams.audio:
                return None
            stream = source.streams.audio[0]
            container = _CONTAINERS.get(stream.codec_context.name)
            if container is None:
                return None
            begin = usual_begin((source.duration or 0) / av.time_base) if begin_seconds is None else begin_seconds
            frames = _frames(source, stream, begin)
            return _fitted(stream, container, frames, most_bytes)
    except av.FFmpegError:
        return None


def _frames(source: InputContainer, stream: av.AudioStream, begin: float) -> Sequence[_Frame]:
    """Return the frames of the excerpt, or the last ones of the file if it ends early."""
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


def _fitted(stream: av.AudioStream, container: _Container, frames: Sequence[_Frame], most_bytes: int) -> Excerpt | None:
    """Copy as many of the frames as fit into the bytes.

    A container adds up to a fifth to their size. How much is known only after the file was written.
    """
    while frames:
        data = _muxed(stream, container, frames)
        if len(data) <= most_bytes:
            seconds = frames[-1].end - frames[0].begin
            return Excerpt(data, container.suffix, container.media_type, float(frames[0].begin), float(seconds))
        frames = frames[: min(len(frames) - 1, len(frames) * most_bytes // len(data))]
    return None


def _muxed(stream: av.AudioStream, container: _Container, frames: Sequence[_Frame]) -> bytes:
    """Write a file of the frames alone, without anything else that is in the original's container."""
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


def _encoded(path: Path, begin_seconds: float | None, most_bytes: int) -> Excerpt:
    with closing(open_decoder(path, path.name)) as decoder:
        begin = usual_begin(decoder.declared_seconds) if begin_seconds is None else begin_seconds
    encoded = _encoded_from(path, begin, most_bytes)
    if begin > 0 and encoded.seconds < MOST_SECONDS:
        # The file breaks off within the excerpt, or before it.
        encoded = max(encoded, _encoded_from(path, 0.0, most_bytes), key=lambda excerpt: excerpt.seconds)
    if not encoded.seconds:
        raise EmptyAudio("the stream holds no samples", subject=path.name, remedy="Supply the file again")
    return encoded


def _encoded_from(path: Path, begin: float, most_bytes: int) -> Excerpt:
    seconds = min(MOST_SECONDS, 8 * (most_bytes - _MOST_OVERHEAD) / _BIT_RATE)
    with TemporaryDirectory() as folder:
        target = Path(folder, f"excerpt{_MP3.suffix}")
        try:
            reencode(path, target, Chain(_SAMPLE_RATE, _BIT_RATE, gain=0.0, begin=begin, seconds=seconds))
        except av.FFmpegError as error:
            raise UnreadableAudio(
                "its samples cannot be encoded", subject=path.name, remedy="Export the file again at 44,100 Hz"
            ) from error
        # No file is written if there is nothing to encode.
        data = target.read_bytes() if target.exists() else b""
    return Excerpt(data, _MP3.suffix, _MP3.media_type, begin, min(seconds, 8 * len(data) / _BIT_RATE))
