"""Decodes files by FFmpeg: the formats that libsndfile cannot read, reads slowly or reads incompletely."""

import bisect
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import accumulate, chain
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.frames import Part

# The index of a crafted MP4 can list the same bytes millions of times, whether they can be decoded or not.
_MOST_UNDECODABLE_PACKETS = 1_000
_MOST_TIMES_READ = 8

_FEW_UNDECODABLE_PACKETS = 2
"""So many packets of an intact file may be undecodable, for example the first, which borrows bits of one before it."""

_FRAMES_AT_ONCE = 2**14
"""Number of frames of audio that Python gets at once. Codings have about 1,000, and each piece costs as much as it."""

_SAMPLE_FORMAT = "flt"
"""Samples of all channels alternate. PyAV reads invalid memory for more than eight planes."""

FORMATS = {
    "8SVX": "iff",
    "AAC": "aac",
    "AC-3": "ac3,eac3",
    "AIFF": "aiff",
    "AMR": "amr",
    "ASF": "asf",
    "ATRAC": "oma",
    "AU": "au",
    "AVI": "avi",
    "CAF": "caf",
    "DSDIFF": "iff",
    "DSF": "dsf",
    "DTS": "dts,dtshd",
    "FLAC": "flac",
    "Flash Video": "flv",
    "MP1": "mp3",
    "MP2": "mp3",
    "MP3": "mp3",
    "MP4": "mov",
    "MPEG program stream": "mpeg",
    "MPEG transport stream": "mpegts",
    "Matroska": "matroska",
    "Monkey's Audio": "ape",
    "Musepack": "mpc,mpc8",
    "NIST Sphere": "nistsphere",
    "Ogg": "ogg",
    "RealMedia": "rm",
    "Shorten": "shn",
    "TAK": "tak",
    "TTA": "tta",
    "TrueHD": "truehd,mlp",
    "VOC": "voc",
    "WAV": "wav",
    "WavPack": "wv",
    "Wave64": "w64",
}
"""FFmpeg's names of each format. Playlists are missing, because they make FFmpeg open other files and addresses."""

_DECLARING = {
    "AIFF",
    "CAF",
    "DSDIFF",
    "DSF",
    "FLAC",
    "MP4",
    "Matroska",
    "Monkey's Audio",
    "Musepack",
    "Ogg",
    "TAK",
    "TTA",
    "WAV",
    "WavPack",
    "Wave64",
}
"""Formats that declare a length. FFmpeg estimates that of all others."""


def options_for_formats(formats: Iterable[str]) -> dict[str, str]:
    """Return options with which FFmpeg opens only files of these formats.

    Playlists must not be among them, because they make FFmpeg open other files and addresses.

    Examples
    --------
    >>> options_for_formats(["mp3", "ogg"])
    {'format_whitelist': 'mp3,ogg', 'protocol_whitelist': 'file'}
    """
    return {"format_whitelist": ",".join(formats), "protocol_whitelist": "file"}


class NoSound(Exception):
    """A file is intact as far as one can tell, but has no audio that can be decoded. The message says what it has."""


class Section:
    """Parts of an open file as one file, which can be read and searched.

    Parameters
    ----------
    file
        The file.
    parts
        The parts in their order.
    """

    def __init__(self, file: BinaryIO, parts: Sequence[Part]) -> None:
        self._file, self._parts = file, parts
        self._ends = list(accumulate(end - start for start, end in parts))
        self._place = 0

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return self._ends[-1]

    def read(self, size: int) -> bytes:
        """Read at most so many bytes; none at the end."""
        if self._place >= self.size:
            return b""
        number = bisect.bisect_right(self._ends, self._place)
        missing = self._ends[number] - self._place
        self._file.seek(self._parts[number][1] - missing)
        data = self._file.read(min(size, missing))
        self._place += len(data)
        return data

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position, and return it; or a negative number for one before the beginning.

        FFmpeg computes such positions from damaged headers. It expects a negative number then, and no exception.
        """
        place += {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        if place >= 0:
            self._place = place
        return max(place, -1)

    def tell(self) -> int:
        """Return the position."""
        return self._place


class FFmpeg:
    """Decodes the first audio stream of a file by FFmpeg. Other streams, such as covers and films, are ignored.

    Parameters
    ----------
    path
        The file.
    format_name
        Its format, a key of `FORMATS`.
    parts
        Parts of the file that are read. The default is the whole file.
    options
        Further options of FFmpeg for the format.

    Raises
    ------
    NoSound
        If the file has no audio stream, or one of an unknown coding.
    av.FFmpegError
        If the file cannot be read, or no frame of audio can be decoded.
    """

    def __init__(
        self, path: Path, format_name: str, parts: Sequence[Part] = (), options: dict[str, str] | None = None
    ) -> None:
        self.remarks: list[str] = []
        with ExitStack() as opened:
            # FFmpeg opens a file by name only if the name is valid UTF-8, so it gets an open file.
            file = opened.enter_context(path.open("rb"))
            section = Section(file, parts or [(0, os.fstat(file.fileno()).st_size)])
            self._most_bytes = _MOST_TIMES_READ * section.size
            options = options_for_formats([FORMATS[format_name]]) | (options or {})
            # Tags that are not valid UTF-8 must not make this fail.
            self._container = opened.enter_context(av.open(section, "r", options=options, metadata_errors="ignore"))
            if not self._container.streams.audio:
                raise NoSound("has no audio stream")
            if self._container.streams.audio[0].codec_context is None:
                raise NoSound("has audio in an unknown or encrypted coding")
            decoded = self._decoded()
            # The header of an AAC file may declare half the rate and one channel of two, so a frame is decoded first.
            first = next(decoded, None)
            if first is None:
                raise av.InvalidDataError(0, "no frame of audio can be decoded", str(path))
            self.close = opened.pop_all().close
        self.sample_rate = first.sample_rate
        self.channels = len(first.layout.channels)
        self.declared_seconds = self._declared_seconds() if format_name in _DECLARING else 0.0
        self.credible_seconds = 0.0
        self.is_exact = False
        self._converted = _as_float(first, decoded)

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return about that many frames (frames, channels), or none at the end or where the stream breaks off."""
        pieces: list[NDArray[np.float32]] = []
        missing = frames
        while missing > 0 and (frame := next(self._converted, None)):
            pieces.append(np.asarray(frame.to_ndarray(), np.float32).reshape(-1, self.channels))
            missing -= frame.samples
        return np.concatenate(pieces) if pieces else np.empty((0, self.channels), np.float32)

    def _decoded(self) -> Iterator[av.AudioFrame]:
        undecodable, read, is_over = 0, 0, False
        while not is_over and undecodable < _MOST_UNDECODABLE_PACKETS:
            try:
                for packet in self._container.demux(audio=0):
                    read += packet.size
                    undecodable += packet.is_corrupt
                    if read > self._most_bytes:
                        self.remarks.append("its index lists the same bytes again and again")
                        break
                    try:
                        yield from packet.decode()
                    except av.FFmpegError:
                        undecodable += 1
                        if undecodable >= _MOST_UNDECODABLE_PACKETS:
                            break
                is_over = True
            # FFmpeg may find the next packet behind damage. PyAV raises an IndexError for a stream that begins late.
            except (av.FFmpegError, IndexError):
                undecodable += 1
        if undecodable > _FEW_UNDECODABLE_PACKETS:
            self.remarks.append(f"damaged: {undecodable} pieces could not be decoded")

    def _declared_seconds(self) -> float:
        stream = self._container.streams.audio[0]
        if stream.duration is not None and stream.time_base is not None:
            return max(0.0, float(stream.duration * stream.time_base))
        # Matroska declares the length of the longest stream.
        if self._container.duration is not None and len(self._container.streams) == 1:
            return max(0.0, self._container.duration / av.time_base)
        return 0.0


def _as_float(first: av.AudioFrame, others: Iterable[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Convert frames to float32, with the rate and the channels of the first frame."""

    def new_converter() -> av.AudioResampler:
        return av.AudioResampler(_SAMPLE_FORMAT, first.layout, first.sample_rate, frame_size=_FRAMES_AT_ONCE)

    converter, kind = new_converter(), _kind(first)
    for frame in chain([first], others):
        if _kind(frame) != kind:
            yield from converter.resample(None)
            converter, kind = new_converter(), _kind(frame)
        try:
            yield from converter.resample(frame)
        except av.FFmpegError:
            break  # a damaged file can declare a channel layout that cannot be converted
    with suppress(av.FFmpegError):
        yield from converter.resample(None)


def _kind(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate
