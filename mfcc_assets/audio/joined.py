"""Decoders made of others: streams that follow each other, and a stream that another decoder reads to its end."""

from collections.abc import Callable, Iterator, Sequence

import av
import numpy as np
import soxr
from numpy.typing import NDArray

from mfcc_assets.audio.ffmpeg import FFmpeg, NoSound
from mfcc_assets.audio.sndfile import Libsndfile

OneDecoder = FFmpeg | Libsndfile


class Joined:
    """Streams that follow each other as one stream, with the sample rate and the channels of the first.

    Parts that no decoder can read are left out with a remark. Remarks on a part are known after it was read.

    Parameters
    ----------
    openers
        Functions that open the parts in their order. A part is opened when the part before it has ended.

    Raises
    ------
    av.FFmpegError
        If no part can be decoded.
    """

    def __init__(self, openers: Sequence[Callable[[], OneDecoder]]) -> None:
        self._openers, self._next = openers, 0
        self.remarks: list[str] = []
        self._part: OneDecoder | None = self._following()
        if self._part is None:
            raise av.InvalidDataError(0, "no part can be decoded")
        self.sample_rate, self.channels = self._part.sample_rate, self._part.channels
        self.declared_seconds = self.credible_seconds = 0.0
        self.is_exact = False
        self._blocks = self._all_blocks()
        self._frames = 0

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return about that many frames (frames, channels), or none at the end."""
        self._frames = frames
        return next(self._blocks, np.empty((0, self.channels), np.float32))

    def close(self) -> None:
        """Close the part that is open."""
        if self._part is not None:
            self._part.close()

    def _following(self) -> OneDecoder | None:
        while self._next < len(self._openers):
            self._next += 1
            try:
                return self._openers[self._next - 1]()
            except (NoSound, av.FFmpegError):
                self.remarks.append(f"part {self._next} of {len(self._openers)} cannot be decoded and is left out")
        return None

    def _all_blocks(self) -> Iterator[NDArray[np.float32]]:
        while self._part is not None:
            yield from self._resampled(self._part)
            self.remarks += [remark for remark in self._part.remarks if remark not in self.remarks]
            self._part.close()
            self._part = self._following()

    def _resampled(self, part: OneDecoder) -> Iterator[NDArray[np.float32]]:
        resampler = None
        if part.sample_rate != self.sample_rate:
            resampler = soxr.ResampleStream(
                part.sample_rate, self.sample_rate, num_channels=self.channels, dtype="float32", quality="HQ"
            )
        while len(block := part.read(self._frames)):
            if part.channels != self.channels:
                block = np.repeat(block.mean(axis=1, keepdims=True), self.channels, axis=1)
            if resampler is not None:
                block = resampler.resample_chunk(np.ascontiguousarray(block)).reshape(-1, self.channels)
            if len(block):
                yield block
        if resampler is not None:
            rest = resampler.resample_chunk(np.empty((0, self.channels), np.float32), last=True)
            if len(rest):
                yield rest.reshape(-1, self.channels)


class ReadToTheEnd:
    """A stream that libsndfile decodes, and FFmpeg from the first error on. libsndfile cannot go on behind damage.

    Parameters
    ----------
    first
        The decoder of the whole stream.
    open_second
        Function that opens another decoder of the same stream.
    """

    def __init__(self, first: Libsndfile, open_second: Callable[[], FFmpeg]) -> None:
        self._decoder: OneDecoder = first
        self._open_second = open_second
        self._read, self._broke_off_at, self._block_frames = 0, 0, 0
        self.sample_rate, self.channels = first.sample_rate, first.channels
        self.declared_seconds, self.credible_seconds = first.declared_seconds, 0.0
        self.is_exact = False
        self.remarks: list[str] = []

    def read(self, frames: int) -> NDArray[np.float32]:
        """Return about that many frames (frames, channels), or none at the end."""
        block = self._decoder.read(frames)
        if not len(block) and isinstance(self._decoder, Libsndfile) and self._decoder.broke_off:
            self._broke_off_at, self._block_frames = self._read, frames
            block = self._first_block_of_second(frames)
        self._read += len(block)
        if not len(block) and 0 < self._broke_off_at < self._read - self._block_frames:
            # There is audio behind the error. One behind the audio, such as a tag, is no damage.
            self.remarks.append(f"damaged {self._broke_off_at / self.sample_rate:.0f} s from its beginning")
        return block

    def close(self) -> None:
        """Close the decoder that is in use."""
        self._decoder.close()

    def _first_block_of_second(self, frames: int) -> NDArray[np.float32]:
        """Go on with the second decoder, and return the first block that the first decoder did not return."""
        block = np.empty((0, self.channels), np.float32)
        try:
            second = self._open_second()
        except (NoSound, av.FFmpegError):
            return block
        self._decoder.close()
        self._decoder = second
        if (second.sample_rate, second.channels) != (self.sample_rate, self.channels):
            return block
        to_drop = self._read
        while len(block := second.read(frames)) and len(block) <= to_drop:
            to_drop -= len(block)
        return block[to_drop:]
