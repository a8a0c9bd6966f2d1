"""Audio files as the signal that features are computed from, in one pass and in memory that does not grow.

A file is decoded block by block, mixed down to one channel, resampled and trimmed as in the article. What is learnt on
the way (digest, length, peak) is kept in `Audio`. What cannot be used is an `AudioError` that says why.
"""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from mfcc_assets.audio.decoders import Decoder, open_decoder
from mfcc_assets.errors import (
    EmptyAudio,
    NotFinite,
    SilentAudio,
    TooLong,
    TooShort,
    UnreadableAudio,
)

# Of all channels together. A stereo OGG of 150 s decodes in 0.47 s by 2^13 samples, in 0.33 s by 2^17. Twice as many
# make everything slower: glibc returns arrays of that size to the system after each block.
_BLOCK_SAMPLES = 2**17

# A header that declares 1 Hz would turn one block into 46 GB.
_SAMPLE_RATES = range(1_000, 768_001)

# The power of a frame of samples as large as 2^53 overflows float32.
_LARGEST_PEAK = 2.0**40


@dataclass(frozen=True)
class AudioLimits:
    """What audio is accepted.

    Attributes
    ----------
    min_seconds, max_seconds
        Shortest and longest audio, as decoded.
    silence
        A signal whose absolute peak does not exceed this is silent. The default is one step of 16 bits.
    """

    min_seconds: float = 1.0
    max_seconds: float = 4 * 3600.0
    silence: float = 2.0**-15


@dataclass(frozen=True)
class Audio:
    """What is known of a file's audio once all of it was read.

    Attributes
    ----------
    audio_id
        Digest of the decoded audio, 32 hex digits: see `audio_id`.
    seconds
        Length, as decoded.
    declared_seconds
        Length according to the header; 0 where it does not say.
    peak
        Largest absolute sample of the trimmed signal.
    sample_rate, channels
        Of the file.
    """

    audio_id: str
    seconds: float
    declared_seconds: float
    peak: float
    sample_rate: int
    channels: int

    @property
    def truncated(self) -> bool:
        """Whether clearly less could be decoded than the header declares: the file was cut, or is damaged."""
        # An intact MP3 of the development corpus ends 0.4 s before the end that its header lets expect.
        return self.declared_seconds - self.seconds > max(1.0, 0.01 * self.declared_seconds)


class AudioReader:
    """Reads the signal of one audio file.

    Parameters
    ----------
    path
        The file.
    sample_rate
        Samples a second of the signal, in Hz. Files of another rate are resampled.
    trimmed_samples
        How many samples of the resampled signal are left out, at its beginning and again at its end.
    limits
        What audio is accepted.
    subject
        What errors call the file; by default its name.

    Raises
    ------
    ValueError
        Audio of the least length would be trimmed to nothing.
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int,
        trimmed_samples: int,
        limits: AudioLimits | None = None,
        subject: str = "",
    ) -> None:
        self._path = path
        self._sample_rate, self._trimmed_samples = sample_rate, trimmed_samples
        self._limits = limits or AudioLimits()
        if self._limits.min_seconds * sample_rate <= 2 * trimmed_samples:
            raise ValueError(f"Nothing is left of {self._limits.min_seconds} s after trimming.")
        self._subject = subject or path.name
        self._audio: Audio | None = None

    @property
    def audio(self) -> Audio:
        """What is known once `blocks` was read to its end.

        Raises
        ------
        RuntimeError
            It was not.
        """
        if self._audio is None:
            raise RuntimeError("The audio is known only after all of its blocks were read.")
        return self._audio

    def blocks(self) -> Generator[NDArray[np.float32]]:
        """Decode the file: one channel at the target rate, without the trimmed samples at either end.

        Yields
        ------
        (samples,) float32
            Never empty. The signal is as loud as in the file: levelling needs the peak, which is known at the end.

        Raises
        ------
        AudioError
            The audio cannot be used: `EmptyAudio`, `UnreadableAudio`, `TooShort`, `TooLong`, `NotFinite`,
            `SilentAudio`. A stream that breaks off is used as far as it goes.
        OSError
            The file cannot be opened at all.
        """
        self._audio = None
        peak = 0.0
        with _Decoding.of(self._path, self._limits, self._subject) as decoding:
            resampled = _resampled(decoding.blocks(), decoding.sample_rate, self._sample_rate)
            for block in _trimmed(resampled, self._trimmed_samples):
                peak = max(peak, _peak(block))
                yield block
            if peak <= self._limits.silence:
                raise SilentAudio(
                    "no sample rises above silence", subject=self._subject, remedy="Supply a file with audible music"
                )
            self._audio = Audio(
                decoding.audio_id,
                decoding.seconds,
                decoding.declared_seconds,
                peak,
                decoding.sample_rate,
                decoding.channels,
            )


def audio_id(path: Path, limits: AudioLimits | None = None, subject: str = "") -> str:
    """Digest of the decoded audio: whether a changed file still holds the same.

    It covers the sample rate, the number of channels and every sample of their mix, which is all that features are made
    of, but neither tags nor container. The same MP3 decoded by another build of the decoder may differ in the last bit
    and so in the digest: features are then computed once more.

    Parameters
    ----------
    path
        The file.
    limits
        What audio is accepted.
    subject
        What errors call the file; by default its name.

    Returns
    -------
    str
        32 hex digits of BLAKE2b, equal to `Audio.audio_id`.

    Raises
    ------
    AudioError
        `EmptyAudio`, `UnreadableAudio`, `TooShort`, `TooLong` or `NotFinite`.
    OSError
        The file cannot be opened at all.
    """
    with _Decoding.of(path, limits or AudioLimits(), subject or path.name) as decoding:
        for _ in decoding.blocks():
            pass
        return decoding.audio_id


class _Decoding:
    """One pass over a decoder's samples, and what it tells about them."""

    def __init__(self, decoder: Decoder, thread: ThreadPoolExecutor, limits: AudioLimits, subject: str) -> None:
        self._decoder = decoder
        self._thread = thread
        self._limits = limits
        self._subject = subject
        self.sample_rate = decoder.sample_rate
        self.channels = decoder.channels
        self.declared_seconds = decoder.declared_seconds
        self._frames = 0
        self._digest = hashlib.blake2b(f"{self.sample_rate} {self.channels} ".encode(), digest_size=16)

    @classmethod
    @contextmanager
    def of(cls, path: Path, limits: AudioLimits, subject: str) -> Iterator["_Decoding"]:
        with path.open("rb") as file:
            if not file.read(1):
                raise EmptyAudio("the file is empty", subject=subject, remedy="Supply the file again")
        # The thread is entered last, so that it has ended before the decoder is closed.
        with closing(open_decoder(path, subject)) as decoder, ThreadPoolExecutor(1) as thread:
            yield cls(decoder, thread, limits, subject)

    @property
    def audio_id(self) -> str:
        return self._digest.hexdigest()

    @property
    def seconds(self) -> float:
        return self._frames / self.sample_rate

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Every sample, mixed down to one channel."""
        if self.sample_rate not in _SAMPLE_RATES:
            raise UnreadableAudio(
                f"the header declares a sample rate of {self.sample_rate:,} Hz",
                subject=self._subject,
                remedy="Export the file again at 44,100 Hz",
            )
        self._refuse_too_long(self.declared_seconds)
        # A block is decoded while the one before it is used: the features of a stereo MP3 of 240 s are there in 0.31 s
        # instead of 0.46 s (medians, in turns). A library load, which has a file for every core, gains nothing by it,
        # and loses no more than its times differ from run to run.
        coming = self._thread.submit(self._read)
        while len(block := coming.result()):
            coming = self._thread.submit(self._read)
            mono = self._mixed_down(block)
            # The digest of a stereo MP3's channels takes half as long as decoding it, that of their mix a quarter.
            self._digest.update(mono.data)
            self._frames += len(mono)
            self._refuse_too_long(self.seconds)
            yield mono
        if self._frames == 0:
            raise EmptyAudio("the stream holds no samples", subject=self._subject, remedy="Supply the file again")
        if self.seconds < self._limits.min_seconds:
            raise TooShort(
                f"only {self.seconds:.2f} s of audio could be decoded, {self._limits.min_seconds:g} s are needed",
                subject=self._subject,
                remedy="Supply a longer file, or an undamaged one",
            )

    def _read(self) -> NDArray[np.float32]:
        return self._decoder.read(max(1, _BLOCK_SAMPLES // self.channels))

    def _mixed_down(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        first, *others = block.T
        # Adding columns is several times faster than numpy's mean over a short last axis.
        with np.errstate(over="ignore", invalid="ignore"):
            mono: NDArray[np.float32] = sum(others, first) / np.float32(self.channels)
        peak = _peak(mono)
        if not peak <= _LARGEST_PEAK:
            raise NotFinite(
                f"the samples reach {peak:.0e}, which is no audio",
                subject=self._subject,
                remedy="Export the file again, best with integer samples",
            )
        return mono

    def _refuse_too_long(self, seconds: float) -> None:
        if seconds > self._limits.max_seconds:
            raise TooLong(
                f"the audio is longer than {self._limits.max_seconds / 60:g} minutes",
                subject=self._subject,
                remedy="Split the file, or raise the limit",
            )


def _resampled(blocks: Iterable[NDArray[np.float32]], from_rate: int, to_rate: int) -> Iterator[NDArray[np.float32]]:
    if from_rate == to_rate:
        yield from blocks
        return
    resampler = soxr.ResampleStream(from_rate, to_rate, num_channels=1, dtype="float32", quality="HQ")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)


def _trimmed(blocks: Iterable[NDArray[np.float32]], samples: int) -> Iterator[NDArray[np.float32]]:
    to_drop = samples
    held_back = np.empty(0, np.float32)
    for block in blocks:
        dropped = min(to_drop, len(block))
        to_drop -= dropped
        held_back = np.concatenate([held_back, block[dropped:]])
        ready = len(held_back) - samples
        if ready > 0:
            yield held_back[:ready]
            held_back = held_back[ready:]


def _peak(block: NDArray[np.float32]) -> float:
    # Several times faster than by np.abs, and NaN is passed on all the same.
    return float(np.maximum(block.max(), -block.min()))
