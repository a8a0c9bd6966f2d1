"""Two decoders of audio files: libsndfile, and FFmpeg for what it alone reads or reads faster."""

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

# A stream of unknown length declares 2^63 - 1 frames.
_UNKNOWN_FRAMES = 2**40

# Playlists stay out: they make FFmpeg open other files and addresses.
_FFMPEG_OPTIONS = {"format_whitelist": "aac,asf,matroska,mov,ogg", "protocol_whitelist": "file"}

# The index of a crafted MP4 can name the same bytes millions of times, bad ones or good ones.
_MOST_UNDECODABLE_PACKETS = 1_000
_MOST_TIMES_READ = 8


class Decoder(Protocol):
    """A file's samples from start to end.

    Attributes
    ----------
    declared_seconds
        Length according to the header; 0 where it does not say.
    """

    sample_rate: int
    channels: int
    declared_seconds: float

    def read(self, frames: int) -> NDArray[np.float32]:
        """About as many frames, (frames, channels); none at the end, or where the stream breaks off."""

    def close(self) -> None: ...


class _SequentialFile(soundfile.SoundFile):  # type: ignore[misc]
    """Read from start to end, without seeking.

    After each read of a seekable file, soundfile seeks to where it is. In an MP3 that drops the bits that a frame
    borrows from the one before: each block began with a click, and the samples depended on the size of the blocks.
    """

    def seekable(self) -> bool:
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
    """The file's first audio stream, whatever else is in it, as a cover or a film.

    Raises
    ------
    av.FFmpegError
        The file cannot be read, or not a frame of audio can be decoded.
    """

    def __init__(self, path: Path) -> None:
        with ExitStack() as opened:
            # By name, FFmpeg opens only what is spelled in UTF-8.
            file = opened.enter_context(path.open("rb"))
            self._most_bytes = _MOST_TIMES_READ * os.fstat(file.fileno()).st_size
            # Tags in Latin-1 are no reason to fail.
            self._container = opened.enter_context(
                av.open(file, "r", options=_FFMPEG_OPTIONS, metadata_errors="ignore")
            )
            if not self._container.streams.audio:
                raise av.InvalidDataError(0, "there is no audio stream", str(path))
            decoded = self._decoded()
            # What a header says of AAC can be half the rate and one channel of two: only the frames tell.
            first = next(decoded, None)
            if first is None:
                raise av.InvalidDataError(0, "not a frame of audio can be decoded", str(path))
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
            return 0.0  # what FFmpeg tells is a guess by the bit rate
        if stream.duration is not None and stream.time_base is not None:
            return max(0.0, float(stream.duration * stream.time_base))
        # Matroska declares the length of the longest stream.
        if self._container.duration is not None and len(self._container.streams) == 1:
            return max(0.0, self._container.duration / av.time_base)
        return 0.0


def _as_float(first: av.AudioFrame, others: Iterable[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Frames of float32, one plane a channel, all with the first one's rate and channels."""
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
            return  # damage has made up a layout of channels that nothing converts
    yield from converter.resample(None)


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def open_decoder(path: Path, subject: str) -> Decoder:
    """The decoder that reads a file, to be closed by the caller.

    Parameters
    ----------
    subject
        What errors call the file.

    Raises
    ------
    UnreadableAudio
        Neither makes sense of it.
    """
    try:
        libsndfile = _Libsndfile(path)
        if libsndfile.coding != "OPUS":
            return libsndfile
        # FFmpeg decodes Opus in a third of the time, and all others no faster.
        libsndfile.close()
    # A name that ends in .raw makes soundfile ask for a sample rate, with a TypeError.
    except (soundfile.LibsndfileError, TypeError):
        pass
    try:
        return _FFmpeg(path)
    except av.FFmpegError as error:
        raise UnreadableAudio(
            "no decoder makes sense of the file", subject=subject, remedy=f"Supply an undamaged file: {_FORMATS}"
        ) from error
