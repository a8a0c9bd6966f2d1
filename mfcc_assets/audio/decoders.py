"""Chooses the decoder of an audio file: libsndfile, or FFmpeg for what libsndfile cannot read to its end."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Protocol, TypeAlias

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from mfcc_assets.audio.declared_lengths import SECONDS, wav_length
from mfcc_assets.audio.ffmpeg import FFmpeg, NoSound
from mfcc_assets.audio.following import files_in, frames_and_next_file, has_last_page
from mfcc_assets.audio.frames import FRAME_FORMATS, Content, Part, Run
from mfcc_assets.audio.joined import Joined, ReadToTheEnd
from mfcc_assets.audio.signature import Signature, content_without_audio, read_signature, tag_bytes
from mfcc_assets.audio.sndfile import Libsndfile
from mfcc_assets.errors import UnreadableAudio

_SNDFILE_FORMATS = {"8SVX", "AIFF", "AU", "CAF", "FLAC", "NIST Sphere", "Ogg", "VOC", "WAV", "Wave64"}
_EXACT_FORMATS = {"AIFF", "FLAC", "Monkey's Audio", "Ogg", "TTA", "WAV", "WavPack"}

_MOST_STREAMS = 1_000
"""Most streams of a file that are decoded. A crafted file can hold millions of streams that are empty."""

_ENCODER_SAMPLES = 5_000
"""More samples than an MP3 has before and after the music, which a decoder may remove."""

_LEAST_DAMAGE_BYTES = 2_000
"""Bytes between frames, other than tags, from which on a file counts as damaged. A joined file has a partial frame."""

_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")

_LEAST_BYTES_A_SECOND = 2_000
"""A declared length is believed before decoding if the file has that many bytes a second of it, which is 16 kbit/s."""

_LEAST_BYTES_A_SECOND_OF_SILENCE = 20
"""A header that declares more than such a file can hold, even if it was cut off, is wrong."""


_Stream: TypeAlias = tuple[str, list[Part]]
"""Format of a stream, and the parts of the file that it consists of."""


class Decoder(Protocol):
    """The samples of a file from start to end.

    Attributes
    ----------
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    declared_seconds
        Length according to the header, or 0 if the header does not say. It is never an estimate.
    is_exact
        True if the declared length is that of the samples to within 0.1 s, so that a smaller difference is damage too.
    credible_seconds
        Length that a file of that size can have, or 0 if it is unknown.
    remarks
        What is wrong with the part of the file that has been read, or was left out of it.
    """

    sample_rate: int
    channels: int
    declared_seconds: float
    is_exact: bool
    credible_seconds: float
    remarks: list[str]

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return about that many frames (frames, channels), or none at the end or where the stream breaks off."""

    def close(self) -> None:
        """Close the file."""


def open_decoder(path: Path, subject: str) -> Decoder:
    """Open a file with the decoder that can read it. The caller closes the decoder.

    Parameters
    ----------
    path
        The file.
    subject
        Name of the file in errors.

    Raises
    ------
    UnreadableAudio
        If no decoder can read the file.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> from importlib.resources import files
    >>> path = Path(str(files("mfcc_assets.demo"))) / "uploads" / "caribbean.mp3"
    >>> decoder = open_decoder(path, subject=path.name)
    >>> decoder.sample_rate, decoder.read(1000).shape
    (22050, (1000, 1))
    >>> decoder.close()
    """
    signature = read_signature(path)
    if signature is None:
        content = content_without_audio(path)
        what = f"no decoder can read the file, which is {content}" if content else "no decoder can read the file"
        raise UnreadableAudio(what, subject=subject, remedy="Supply audio, for example FLAC, MP3, Ogg, M4A or WAV")
    try:
        decoder = _opened(path, signature)
    except NoSound as error:
        raise UnreadableAudio(
            f"the file, which begins like {signature.format}, {error}",
            subject=subject,
            remedy="Supply audio, for example FLAC, MP3, Ogg, M4A or WAV",
        ) from error
    except (av.FFmpegError, soundfile.LibsndfileError) as error:
        raise UnreadableAudio(
            f"no decoder can read the file, which begins like {signature.format}",
            subject=subject,
            remedy="Supply an undamaged file, or export it as FLAC",
        ) from error
    size = path.stat().st_size
    if not decoder.credible_seconds and decoder.declared_seconds * _LEAST_BYTES_A_SECOND <= size:
        decoder.credible_seconds = decoder.declared_seconds
    if decoder.declared_seconds * _LEAST_BYTES_A_SECOND_OF_SILENCE > size:
        decoder.declared_seconds = 0.0
    return decoder


def _opened(path: Path, signature: Signature) -> Decoder:
    format_name, start = signature.format, signature.start
    with _mapped(path) as content:
        if format_name in FRAME_FORMATS:
            return _opened_frames(path, content, start)
        streams = _streams_of_files(content, format_name, start)
        remarks = _remarks_on(streams, content)
    decoder = _joined(path, streams) if len(streams) > 1 else _opened_single_file(path, format_name, start)
    decoder.remarks.extend(remarks)
    return decoder


def _opened_single_file(path: Path, format_name: str, start: int) -> Decoder:
    parts = [(start, path.stat().st_size)] if start else []
    options = {}
    with path.open("rb") as file:
        if format_name == "WAV":
            length = wav_length(file, start)
            declared = length.seconds
            options = {"ignore_length": "1"} if length.is_too_small else {}
        else:
            declared = SECONDS[format_name](file, start) if format_name in SECONDS else 0.0
    decoder: Decoder
    libsndfile = None if options or format_name not in _SNDFILE_FORMATS else _libsndfile(path)
    if libsndfile is None or (libsndfile.coding == "OPUS" and format_name == "Ogg"):
        # FFmpeg decodes Opus much faster than libsndfile does. It is no faster with other formats.
        if libsndfile is not None:
            libsndfile.close()
        decoder = FFmpeg(path, format_name, parts, options)
    elif format_name in {"Ogg", "FLAC"}:
        decoder = ReadToTheEnd(libsndfile, partial(FFmpeg, path, format_name, parts))
    else:
        decoder = libsndfile
    decoder.declared_seconds = 0.0 if options else max(decoder.declared_seconds, declared)
    decoder.is_exact = format_name in _EXACT_FORMATS
    return decoder


def _opened_frames(path: Path, content: Content, start: int) -> Decoder:
    """Open a file of frames without a container. Only the frames are decoded, and none of the tags between them."""
    runs, behind = frames_and_next_file(content, start)
    if not runs:  # frames of a free bit rate, whose headers do not tell their length
        return Libsndfile(path)
    others = _streams_of_files(content, *behind) if behind else []
    groups = _runs_of_each_stream(runs)
    streams = [(group[0].kind.coding, [(run.start, run.end) for run in group]) for group in groups] + others
    decoder: Decoder | None = None
    # libsndfile mistakes other bytes in front for frames.
    is_right_behind_tag = start in {0, tag_bytes(content[:10])}
    if not others and len(runs) == 1 and runs[0].kind.coding != "AAC" and is_right_behind_tag:
        decoder = _complete_libsndfile(path, runs[0])
    if decoder is None:
        decoder = _joined(path, streams)
        declared = [group[0].declared_seconds for group in groups] if not others else [0.0]
        decoder.declared_seconds = sum(declared) if all(declared) else 0.0
    decoder.credible_seconds = sum(run.seconds for run in runs)
    damaged_bytes = sum(
        after.start - before.end
        for before, after in pairwise(runs)
        if not content[before.end : before.end + len(_TAGS[-1])].startswith(_TAGS)
    )
    if damaged_bytes > _LEAST_DAMAGE_BYTES:
        decoder.remarks.append(f"damaged: {damaged_bytes:,} bytes within it are no audio and were left out")
    decoder.remarks.extend(_remarks_on(streams, content))
    return decoder


def _remarks_on(streams: list[_Stream], content: Content) -> list[str]:
    """Return remarks on what is missing of streams that follow each other."""
    format_name, ((start, _), *_) = streams[-1]
    if len(streams) > _MOST_STREAMS:
        return [f"everything behind its first {_MOST_STREAMS:,} parts is left out"]
    is_cut_off = format_name == "Ogg" and not has_last_page(content, start)
    return ["its end is missing: the stream has no last page"] if is_cut_off else []


def _complete_libsndfile(path: Path, run: Run) -> Libsndfile | None:
    """Open an MP3 with libsndfile, or return None if that would not decode it to its end.

    libsndfile stops after the number of frames that the header declares, or after a guess from the size of the first
    frame.
    """
    libsndfile = _libsndfile(path)
    if libsndfile is None:
        return None
    if libsndfile.frames < run.samples - _ENCODER_SAMPLES:
        libsndfile.close()
        return None
    if not run.declared_seconds:
        libsndfile.declared_seconds = 0.0
    return libsndfile


def _runs_of_each_stream(runs: list[Run]) -> list[list[Run]]:
    """Group runs of frames that belong to one stream. Another stream has another kind, or begins with a header."""
    groups: list[list[Run]] = []
    for run in runs:
        if groups and run.kind == groups[-1][0].kind and not run.has_header:
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _streams_of_files(content: Content, format_name: str, start: int) -> list[_Stream]:
    """Return the files that follow each other from a position on, and one more than is decoded."""
    return [(name, [part]) for name, part in islice(files_in(content, format_name, start), _MOST_STREAMS + 1)]


def _joined(path: Path, streams: list[_Stream]) -> Decoder:
    openers = [partial(FFmpeg, path, name, parts) for name, parts in streams[:_MOST_STREAMS]]
    return openers[0]() if len(openers) == 1 else Joined(openers)


def _libsndfile(path: Path) -> Libsndfile | None:
    try:
        return Libsndfile(path)
    # soundfile raises a TypeError for a name that ends in .raw, because it wants a sample rate then.
    except (soundfile.LibsndfileError, TypeError):
        return None


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content
