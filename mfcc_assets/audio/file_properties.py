"""What an audio file tells of itself before anybody listens: codec, sample rate, channels and bit rate."""

import contextlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import av

from mfcc_assets.audio.decoders import open_decoder
from mfcc_assets.audio.ffmpeg import FORMATS, options_for_formats
from mfcc_assets.audio.signature import audio_format

_WITHIN = 1.1
"""Largest ratio of two bit rates that count as alike."""


@dataclass(frozen=True)
class FileProperties:
    """Properties of an audio file.

    Attributes
    ----------
    codec
        FFmpeg's name of the codec, or the name of the file's format if FFmpeg does not know it.
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    bit_rate
        Bytes of the file for each second, in bit/s; 0 if the length of the file is unknown before it is decoded.
    """

    codec: str
    sample_rate: int
    channels: int
    bit_rate: float

    def is_like(self, other: "FileProperties") -> bool:
        """Return True if another file has the same codec, rate and channels, and the same bit rate within a tenth.

        Examples
        --------
        >>> file = FileProperties("mp3", 44_100, 2, 128_000)
        >>> [file.is_like(FileProperties("mp3", 44_100, 2, bit_rate)) for bit_rate in (120_000, 192_000)]
        [True, False]
        """
        kinds = [(file.codec, file.sample_rate, file.channels) for file in (self, other)]
        low, high = sorted((self.bit_rate, other.bit_rate))
        return kinds[0] == kinds[1] and high <= _WITHIN * low


def read_file_properties(path: Path) -> FileProperties:
    """Read the properties of a file.

    Raises
    ------
    UnreadableAudio
        If no decoder can read the file.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> from importlib.resources import files
    >>> read_file_properties(Path(str(files("mfcc_assets.demo"))) / "uploads" / "caribbean.mp3").codec
    'mp3'
    """
    codec, seconds = audio_format(path) or "", 0.0
    with closing(open_decoder(path, path.name)) as decoder:
        rate, channels = decoder.sample_rate, decoder.channels
        declared = decoder.declared_seconds or decoder.credible_seconds
    options = options_for_formats(FORMATS.values())
    # libsndfile reads some files that FFmpeg does not know.
    with (
        contextlib.suppress(av.FFmpegError),
        path.open("rb") as file,
        av.open(file, "r", options=options, metadata_errors="ignore") as container,
    ):
        for stream in container.streams.audio[:1]:
            codec = stream.codec_context.codec.canonical_name
        seconds = (container.duration or 0) / av.time_base
    seconds = declared or seconds
    return FileProperties(codec, rate, channels, 8 * path.stat().st_size / seconds if seconds > 0 else 0.0)
