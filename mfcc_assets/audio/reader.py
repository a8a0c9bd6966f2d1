"""Reads the signal of an audio file, in one pass and in little memory however long the file is.

The file is decoded block by block, mixed down to one channel, resampled and trimmed as in the article. `Audio` holds
what the reader learns on the way, such as digest and length. An `AudioError` says why a file cannot be used.
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
from mfcc_assets.errors import EmptyAudio, NotFinite, SilentAudio, TooLong, TooShort, UnreadableAudio
from mfcc_assets.ids import AudioId

BLOCK_SAMPLES = 2**17
"""Samples of a block, of all channels together. Smaller blocks decode more slowly. Larger ones do too, because glibc
returns such large arrays to the operating system after each block."""

_SAMPLE_RATES = range(1_000, 768_001)
"""Sample rates that are accepted. A header that declares 1 Hz would turn one block into 46 GB."""

_LARGEST_PEAK = 2.0**40
"""Largest sample that is accepted. The power of a frame of samples as large as 2^53 would overflow float32."""


@dataclass(frozen=True)
class AudioLimits:
    """Limits of the audio that is accepted.

    Attributes
    ----------
    min_seconds, max_seconds
        Shortest and longest audio, as decoded.
    silence
        Largest absolute sample of a silent signal. The default is one step of 16-bit audio.
    """

    min_seconds: float = 1.0
    max_seconds: float = 4 * 3600.0
    silence: float = 2.0**-15


@dataclass(frozen=True)
class Audio:
    """Facts about the audio of a file that is read to its end.

    Attributes
    ----------
    audio_id
        Digest of the decoded samples, 32 hex digits: see `read_audio_id`.
    seconds
        Length as decoded.
    declared_seconds
        Length according to the header, or 0 if the header does not say.
    sample_rate
        Sample rate of the file in Hz.
    channels
        Number of channels of the file.
    """

    audio_id: AudioId
    seconds: float
    declared_seconds: float
    sample_rate: int
    channels: int

    @property
    def truncated(self) -> bool:
        """True if clearly less was decoded than the header declares, so that the file is cut off or damaged."""
        # The margin is one second, because intact MP3 files may be 0.4 s shorter than their headers declare.
        return self.declared_seconds - self.seconds > max(1.0, 0.01 * self.declared_seconds)


class AudioReader:
    """Reads the signal of one audio file.

    Parameters
    ----------
    path
        The file.
    sample_rate
        Sample rate of the signal in Hz. Files of other rates are resampled.
    trimmed_samples
        Number of samples of the resampled signal that are dropped at its beginning and again at its end.
    limits
        Limits of the audio that is accepted.
    subject
        Name of the file in errors. The default is the name of the path.
    block_samples
        Samples that are decoded at once, of all channels together.

    Raises
    ------
    ValueError
        If trimming would leave nothing of the shortest audio that the limits allow.

    Examples
    --------
    >>> from importlib.resources import files
    >>> path = Path(str(files("mfcc_assets.demo"))) / "uploads" / "caribbean.mp3"
    >>> reader = AudioReader(path, sample_rate=44_100, trimmed_samples=500)
    >>> signal = np.concatenate(list(reader.blocks()))
    >>> signal.shape, reader.audio.sample_rate, reader.audio.channels
    ((792822,), 22050, 1)
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int,
        trimmed_samples: int,
        limits: AudioLimits | None = None,
        subject: str = "",
        *,
        block_samples: int = BLOCK_SAMPLES,
    ) -> None:
        self._path, self._block_samples = path, block_samples
        self._sample_rate, self._trimmed_samples = sample_rate, trimmed_samples
        self._limits = limits or AudioLimits()
        if self._limits.min_seconds * sample_rate <= 2 * trimmed_samples:
            raise ValueError(f"trimming leaves nothing of audio of {self._limits.min_seconds} s")
        self._subject = subject or path.name
        self._audio: Audio | None = None

    @property
    def audio(self) -> Audio:
        """Facts about the audio, which are known after `blocks` was read to its end.

        Raises
        ------
        RuntimeError
            If `blocks` was not read to its end.
        """
        if self._audio is None:
            raise RuntimeError("the audio is known only after all of its blocks were read")
        return self._audio

    def blocks(self) -> Generator[NDArray[np.float32]]:
        """Decode the file to one channel at the target rate, without the trimmed samples at both ends.

        Yields
        ------
        (samples,) float32
            The next samples, at least one. The signal is as loud as in the file, since its peak is known only at its
            end.

        Raises
        ------
        AudioError
            If the audio cannot be used: `EmptyAudio`, `UnreadableAudio`, `TooShort`, `TooLong`, `NotFinite` or
            `SilentAudio`. A stream that breaks off is no error; it is used as far as it goes.
        OSError
            If the file cannot be opened.
        """
        self._audio = None
        peak = 0.0
        with _Decoding.of(self._path, self._limits, self._subject) as decoding:
            resampled = _resampled(decoding.blocks(self._block_samples), decoding.sample_rate, self._sample_rate)
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
                decoding.sample_rate,
                decoding.channels,
            )


def read_audio_id(path: Path, limits: AudioLimits | None = None, subject: str = "") -> AudioId:
    """Decode a file and return the digest of its audio, which shows whether a changed file still has the same audio.

    The digest covers the sample rate, the number of channels and every sample of their mix. Features depend on nothing
    else. It covers neither tags nor container. Two builds of a decoder may decode the same MP3 with differences in the
    last bit, and so to different digests. The features are then computed once more.

    Parameters
    ----------
    path
        The file.
    limits
        Limits of the audio that is accepted.
    subject
        Name of the file in errors. The default is the name of the path.

    Returns
    -------
    AudioId
        32 hex digits of BLAKE2b, equal to `Audio.audio_id`.

    Raises
    ------
    AudioError
        If the audio cannot be used: `EmptyAudio`, `UnreadableAudio`, `TooShort`, `TooLong` or `NotFinite`.
    OSError
        If the file cannot be opened.
    """
    with _Decoding.of(path, limits or AudioLimits(), subject or path.name) as decoding:
        for _ in decoding.blocks(BLOCK_SAMPLES):
            pass
        return decoding.audio_id


class _Decoding:
    """One pass over the samples of a decoder, which collects their digest and length."""

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
    def audio_id(self) -> AudioId:
        return AudioId(self._digest.hexdigest())

    @property
    def seconds(self) -> float:
        return self._frames / self.sample_rate

    def blocks(self, block_samples: int) -> Iterator[NDArray[np.float32]]:
        """Yield all samples, mixed down to one channel."""
        if self.sample_rate not in _SAMPLE_RATES:
            raise UnreadableAudio(
                f"the header declares a sample rate of {self.sample_rate:,} Hz",
                subject=self._subject,
                remedy="Export the file again at 44,100 Hz",
            )
        self._refuse_too_long(self.declared_seconds)
        # Each block is decoded while the caller works on the block before it. This makes a single file faster, and
        # costs nothing if many files are read at once on all cores.
        frames = max(1, block_samples // self.channels)
        next_block = self._thread.submit(self._decoder.read, frames)
        while len(block := next_block.result()):
            next_block = self._thread.submit(self._decoder.read, frames)
            mono = self._mixed_down(block)
            # The digest covers the mix and not the channels, since it takes a good part of the decoding time.
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

    def _mixed_down(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        first, *others = block.T
        # Adding columns is several times faster than np.mean over a short last axis.
        with np.errstate(over="ignore", invalid="ignore"):
            mono: NDArray[np.float32] = sum(others, first) / np.float32(self.channels)
        peak = _peak(mono)
        if not peak <= _LARGEST_PEAK:
            raise NotFinite(
                f"the samples reach {peak:.0e}, which cannot be audio",
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
    # This is several times faster than np.abs, and NaN is still passed on.
    return float(np.maximum(block.max(), -block.min()))
