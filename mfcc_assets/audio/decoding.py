"""Decodes a file to the signal of the article, in the process that calls it.

Files come from outside, so only the child processes of `mfcc_assets.audio.child_process` should call this. All others
use `mfcc_assets.audio.reader`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from mfcc_assets.audio.bounds import Bounds
from mfcc_assets.audio.decoders import open_decoder
from mfcc_assets.audio.mixing import in_whole_windows, mixed_down
from mfcc_assets.audio.reader import BLOCK_SAMPLES, Audio, AudioLimits
from mfcc_assets.errors import EmptyAudio, NotFinite, SilentAudio, TooCostly, TooLong, TooShort, UnreadableAudio
from mfcc_assets.ids import AudioId

_SAMPLE_RATES = range(1_000, 768_001)
"""Sample rates that are accepted. A header that declares 1 Hz would turn one block into 46 GB."""

_LARGEST_PEAK = 2.0**40
"""Largest sample that is accepted. The power of a frame of samples as large as 2^53 would overflow float32."""

_LEAST_DAMAGE_SECONDS = 0.1

Progress = Callable[[float], None]
"""Called before each block with the seconds of audio that are decoded."""

_DIGESTING = ThreadPoolExecutor(1, thread_name_prefix="digest")
"""Computes digests while the next block is decoded, because a digest takes a good part of the decoding time."""


def start_digesting() -> None:
    """Start the thread of the digests, before the memory of this process is limited.

    A thread that is started with too little memory may end before it begins, and who starts it would wait for ever.
    """
    _DIGESTING.submit(lambda: None).result()


class SignalOfFile:
    """The signal of one file.

    Parameters
    ----------
    path
        The file.
    subject
        Name of the file in errors.
    limits
        Limits of the audio that is accepted.
    bounds
        Bounds on the samples that are decoded.
    on_progress
        Called before each block with the seconds of audio that are decoded.
    """

    def __init__(self, path: Path, subject: str, limits: AudioLimits, bounds: Bounds, on_progress: Progress) -> None:
        self._path, self._subject, self._limits, self._bounds = path, subject, limits, bounds
        self._on_progress = on_progress
        self._audio: Audio | None = None

    @property
    def audio(self) -> Audio:
        """Facts about the audio, which are known after `blocks` was read to its end."""
        assert self._audio is not None
        return self._audio

    def blocks(
        self, *, sample_rate: int, trimmed_samples: int, aligned_to: int, block_samples: int
    ) -> Iterator[NDArray[np.float32]]:
        """Yield the signal as `AudioReader.blocks` does, with the same errors."""
        peak, swing = 0.0, _Swing()
        with closing(self._decoding()) as decoding:
            alignment = _Alignment(aligned_to, self._limits.silence, sample_rate / decoding.sample_rate)
            watched = alignment.watched(swing.watched(decoding.blocks(block_samples)))
            resampled = _resampled(watched, decoding.sample_rate, sample_rate)
            for block in _trimmed(alignment.aligned(resampled), trimmed_samples):
                peak = max(peak, _peak(block))
                yield block
            if peak <= self._limits.silence:
                raise SilentAudio(
                    "no sample rises above silence", subject=self._subject, remedy="Supply a file with audible music"
                )
            if swing.width <= self._limits.silence:
                raise SilentAudio(
                    "all samples have the same value, which nobody hears",
                    subject=self._subject,
                    remedy="Supply a file with audible music",
                )
            self._audio = replace(
                decoding.facts(), skipped_at=alignment.skipped_at, skipped_samples=alignment.skipped_samples
            )

    def read_audio_id(self) -> AudioId:
        """Decode the file and return the digest of its audio, as `mfcc_assets.audio.reader.read_audio_id` does."""
        with closing(self._decoding()) as decoding:
            for _ in decoding.blocks(BLOCK_SAMPLES):
                pass
            return decoding.facts().audio_id

    def _decoding(self) -> "_Decoding":
        with self._path.open("rb") as file:
            if not file.read(1):
                raise EmptyAudio("the file is empty", subject=self._subject, remedy="Supply the file again")
        return _Decoding(self._path, self._subject, self._limits, self._bounds, self._on_progress)


def beginning(
    path: Path, subject: str, seconds: float, channels: int, on_progress: Progress
) -> tuple[NDArray[np.float32], int]:
    """Decode the first seconds (samples, channels) of a file, of at most so many channels, and the sample rate.

    Raises
    ------
    UnreadableAudio
        If no decoder can read the file.
    OSError
        If the file cannot be opened.
    """
    with closing(open_decoder(path, subject)) as decoder:
        missing = round(seconds * decoder.sample_rate)
        frames = max(1, BLOCK_SAMPLES // decoder.channels)
        blocks = [np.empty((0, min(channels, decoder.channels)), np.float32)]
        while missing > 0 and len(block := decoder.read(min(missing, frames))):
            blocks.append(block[:missing, :channels])
            missing -= len(block)
            on_progress(seconds - missing / decoder.sample_rate)
        return np.concatenate(blocks), decoder.sample_rate


class _Decoding:
    """One pass over the samples of a decoder, which collects their digest and length."""

    def __init__(self, path: Path, subject: str, limits: AudioLimits, bounds: Bounds, on_progress: Progress) -> None:
        self._subject, self._limits, self._on_progress = subject, limits, on_progress
        self._most_samples = bounds.samples + bounds.samples_per_byte * path.stat().st_size
        self._decoder = open_decoder(path, subject)
        self.sample_rate, self._channels = self._decoder.sample_rate, self._decoder.channels
        self._frames = 0
        self._digest = hashlib.blake2b(f"{self.sample_rate} {self._channels} ".encode(), digest_size=16)
        self._digested = _DIGESTING.submit(lambda: None)

    def close(self) -> None:
        self._digested.result()
        self._decoder.close()

    def facts(self) -> Audio:
        seconds, declared = self._frames / self.sample_rate, self._decoder.declared_seconds
        self._digested.result()
        digest, remarks = AudioId(self._digest.hexdigest()), tuple(self._decoder.remarks)
        audio = Audio(digest, seconds, declared, self.sample_rate, self._channels, remarks)
        if audio.truncated or remarks or not self._decoder.is_exact or declared - seconds < _LEAST_DAMAGE_SECONDS:
            return audio
        return replace(audio, remarks=(f"damaged: {declared - seconds:.1f} s of it could not be decoded",))

    def blocks(self, block_samples: int) -> Iterator[NDArray[np.float32]]:
        """Yield all samples, mixed down to one channel."""
        if self.sample_rate not in _SAMPLE_RATES:
            raise UnreadableAudio(
                f"the header declares a sample rate of {self.sample_rate:,} Hz",
                subject=self._subject,
                remedy="Export the file again at 44,100 Hz",
            )
        self._refuse_too_long(self._decoder.credible_seconds)
        for block in in_whole_windows(self._decoded(block_samples)):
            mono = mixed_down(block)
            if not _peak(mono) <= _LARGEST_PEAK:
                raise NotFinite(
                    f"the samples reach {_peak(mono):.0e}, which cannot be audio",
                    subject=self._subject,
                    remedy="Export the file again, best with integer samples",
                )
            self._digested.result()  # so that no blocks pile up
            # The digest covers the mix and not the channels, which would take more time.
            self._digested = _DIGESTING.submit(self._digest.update, mono.data)
            yield mono
        if self._frames == 0:
            raise EmptyAudio("the stream holds no samples", subject=self._subject, remedy="Supply the file again")
        seconds = self._frames / self.sample_rate
        if seconds < self._limits.min_seconds:
            raise TooShort(
                f"only {seconds:.2f} s of audio could be decoded, {self._limits.min_seconds:g} s are needed",
                subject=self._subject,
                remedy="Supply an undamaged file" if self._lacks_audio(seconds) else "Supply a longer file",
            )

    def _lacks_audio(self, seconds: float) -> bool:
        """Return whether less could be decoded than the file declares, so that it is damaged and not only short."""
        return self._decoder.declared_seconds - seconds >= _LEAST_DAMAGE_SECONDS or bool(self._decoder.remarks)

    def _decoded(self, block_samples: int) -> Iterator[NDArray[np.float32]]:
        frames = max(1, block_samples // self._channels)
        while len(block := self._decoder.read(frames)):
            self._frames += len(block)
            seconds = self._frames / self.sample_rate
            self._refuse_too_long(seconds)
            if self._frames * self._channels > self._most_samples:
                raise TooCostly(
                    f"it holds more than {self._most_samples:,} samples, which is far too many for its size",
                    subject=self._subject,
                    remedy="Export the music without the long part that does not change",
                )
            self._on_progress(seconds)
            yield block

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


class _Swing:
    """The smallest and the largest sample of a file. Silence that was recorded with a constant voltage has one value.

    It is measured before the signal is resampled, because resampling lets a constant ring at its ends.
    """

    def __init__(self) -> None:
        self._lowest, self._highest = inf, -inf

    @property
    def width(self) -> float:
        return self._highest - self._lowest

    def watched(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of the file, and remember the smallest and the largest one."""
        for block in blocks:
            if len(block):
                self._lowest = min(self._lowest, float(block.min()))
                self._highest = max(self._highest, float(block.max()))
            yield block


class _Alignment:
    """Moves the first audible sample of a signal to a multiple of a step, by skipping silent samples before it.

    The sample is found before the signal is resampled, because resampling lets the music ring before its beginning.
    """

    def __init__(self, step: int, silence: float, ratio: float) -> None:
        self._step, self._silence, self._ratio = step, silence, ratio
        self._first_audible: int | None = None
        self.skipped_at = self.skipped_samples = 0

    def watched(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the samples of the file, and remember which is the first audible one."""
        position = 0
        for block in blocks:
            if self._first_audible is None and len(audible := np.flatnonzero(np.abs(block) > self._silence)):
                self._first_audible = round((position + int(audible[0])) * self._ratio)
            position += len(block)
            yield block

    def aligned(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield the resampled samples, of which fewer than a step are skipped."""
        remaining = iter(blocks)
        position = 0
        held = np.empty(0, np.float32)
        for block in remaining:
            # The samples of an incomplete step are held back, since an audible sample may follow them.
            held = np.concatenate([held, block])
            end = position + len(held)
            first_audible = end if self._first_audible is None else min(self._first_audible, end)
            silent = first_audible - position
            whole = silent - silent % self._step
            yield held[:whole]
            position += whole
            held = held[whole:]
            if first_audible < end:
                self.skipped_at, self.skipped_samples = position, silent - whole
                held = held[silent - whole :]
                break
        yield held
        yield from remaining


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
