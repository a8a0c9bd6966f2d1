"""Decoders of audio files: libsndfile, and FFmpeg for the formats that libsndfile cannot read or reads slowly."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Protocol

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from mfcc_assets.errors import UnreadableAudio

_FORMATS = "WAV, FLAC, OGG Vorbis, Opus, MP3, AIFF, M4A, AAC, WebM, Matroska and WMA"

_UNKNOWN_FRAMES = 2**40
"""From this number of frames on, the length is unknown: libsndfile then declares 2^63 - 1 frames."""

_FFMPEG_FORMATS = ("aac", "asf", "matroska", "mov", "ogg")
"""Formats that libsndfile cannot read, and Ogg for Opus."""

# The index of a crafted MP4 can list the same bytes millions of times, whether they can be decoded or not.
_MOST_UNDECODABLE_PACKETS = 1_000
_MOST_TIMES_READ = 8


def options_for_formats(formats: Iterable[str]) -> dict[str, str]:
    """Return options with which FFmpeg opens only files of these formats.

    Playlists must not be among them, because they make FFmpeg open other files and addresses.

    Examples
    --------
    >>> options_for_formats(["mp3", "ogg"])
    {'format_whitelist': 'mp3,ogg', 'protocol_whitelist': 'file'}
    """
    return {"format_whitelist": ",".join(formats), "protocol_whitelist": "file"}


class Decoder(Protocol):
    """The samples of a file from start to end.

    Attributes
    ----------
    sample_rate
        Sample rate in Hz.
    channels
        Number of channels.
    declared_seconds
        Length according to the header, or 0 if the header does not say.
    """

    sample_rate: int
    channels: int
    declared_seconds: float

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return about that many frames (frames, channels), or none at the end or where the stream breaks off."""

    def close(self) -> None:
        """Close the file."""


class _SequentialFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read from start to end without seeking.

    soundfile seeks to the current position after each read of a seekable file. In an MP3 this loses the bits that a
    frame borrows from the frame before it. Each block would begin with a click, and the samples would depend on the
    size of the blocks.
    """

    def seekable(self) -> bool:
        """Return False, so that soundfile never seeks."""
        return False


class _Libsndfile:
    def __init__(self, path: Path) -> None:
        self._file = _SequentialFile(path)
        self.coding: str = self._file.subtype
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        frames: int = self._file.frames
        self.declared_seconds = frames / self.sample_rate if 0 < frames < _UNKNOWN_FRAMES else 0.0

    def read(self, frames: int) -> NDArray[np.float32]:
        block = np.empty((frames, self.channels), np.float32)
        try:
            return self._file.read(out=block)  # type: ignore[no-any-return]
        except soundfile.LibsndfileError:
            return block[:0]

    def close(self) -> None:
        self._file.close()


class _FFmpeg:
    """Decodes the first audio stream of a file by FFmpeg. Other streams, such as covers and films, are ignored.

    Raises
    ------
    av.FFmpegError
        If the file cannot be read, or no frame of audio can be decoded.
    """

    def __init__(self, path: Path) -> None:
        with ExitStack() as opened:
            # FFmpeg opens a file by name only if the name is valid UTF-8, so it gets an open file.
            file = opened.enter_context(path.open("rb"))
            self._most_bytes = _MOST_TIMES_READ * os.fstat(file.fileno()).st_size
            # Tags that are not valid UTF-8 must not make this fail.
            self._container = opened.enter_context(
                av.open(file, "r", options=options_for_formats(_FFMPEG_FORMATS), metadata_errors="ignore")
            )
            if not self._container.streams.audio:
                raise av.InvalidDataError(0, "there is no audio stream", str(path))
            decoded = self._decoded()
            # The header of an AAC file may declare half the rate and one channel of two, so a frame is decoded first.
            first = next(decoded, None)
            if first is None:
                raise av.InvalidDataError(0, "no frame of audio can be decoded", str(path))
            self.close = opened.pop_all().close
        self.sample_rate = first.sample_rate
        self.channels = len(first.layout.channels)
        self.declared_seconds = self._declared_seconds()
        self._converted = _as_float(first, decoded)

    def read(self, frames: int) -> NDArray[np.float32]:
        planes = [np.empty((self.channels, 0), np.float32)]
        missing = frames
        while missing > 0 and (frame := next(self._converted, None)):
            planes.append(np.asarray(frame.to_ndarray(), np.float32))
            missing -= frame.samples
        return np.concatenate(planes, axis=1).T

    def _decoded(self) -> Iterator[av.AudioFrame]:
        undecodable, read = 0, 0
        try:
            for packet in self._container.demux(audio=0):
                read += packet.size
                if read > self._most_bytes:
                    return
                try:
                    yield from packet.decode()
                except av.FFmpegError:
                    undecodable += 1
                    if undecodable == _MOST_UNDECODABLE_PACKETS:
                        return
        except av.FFmpegError:
            return

    def _declared_seconds(self) -> float:
        stream = self._container.streams.audio[0]
        if self._container.format.name == "aac":
            return 0.0  # FFmpeg guesses the length from the bit rate
        if stream.duration is not None and stream.time_base is not None:
            return max(0.0, float(stream.duration * stream.time_base))
        # Matroska declares the length of the longest stream.
        if self._container.duration is not None and len(self._container.streams) == 1:
            return max(0.0, self._container.duration / av.time_base)
        return 0.0


def _as_float(first: av.AudioFrame, others: Iterable[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Convert frames to float32, one plane per channel, with the rate and the channels of the first frame."""
    converter = av.AudioResampler("fltp", first.layout, first.sample_rate)
    kind = _kind(first)
    for frame in chain([first], others):
        if _kind(frame) != kind:
            yield from converter.resample(None)
            converter = av.AudioResampler("fltp", first.layout, first.sample_rate)
            kind = _kind(frame)
        try:
            yield from converter.resample(frame)
        except av.FFmpegError:
            return  # a damaged file can declare a channel layout that cannot be converted
    yield from converter.resample(None)


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


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
    try:
        libsndfile = _Libsndfile(path)
        if libsndfile.coding != "OPUS":
            return libsndfile
        # FFmpeg decodes Opus much faster than libsndfile does. It is no faster with other formats.
        libsndfile.close()
    # soundfile raises a TypeError for a name that ends in .raw, because it wants a sample rate then.
    except (soundfile.LibsndfileError, TypeError):
        pass
    try:
        return _FFmpeg(path)
    except av.FFmpegError as error:
        raise UnreadableAudio(
            "no decoder can read the file", subject=subject, remedy=f"Supply an undamaged file: {_FORMATS}"
        ) from error
