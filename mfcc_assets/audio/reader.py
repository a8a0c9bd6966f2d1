"""Reads the signal of an audio file, in one pass and in little memory however long the file is.

The file is decoded block by block, mixed down to one channel, resampled and trimmed as in the article. A child process
does this under limits, while the caller works on the blocks before. `Audio` holds what is learned on the way, such as
digest and length. An `AudioError` says why a file cannot be used.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.bounds import Bounds
from mfcc_assets.audio.child_process import answer_of_child, ask_child
from mfcc_assets.ids import AudioId

BLOCK_SAMPLES = 2**17
"""Samples of a block, of all channels together. Smaller blocks decode more slowly. Larger ones do too, because glibc
returns such large arrays to the operating system after each block."""


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
    remarks
        Sentences for people on what is wrong with the file, or was left out of it.
    skipped_at, skipped_samples
        Position and number of the silent samples that were skipped to align the signal, before it was trimmed.
    """

    audio_id: AudioId
    seconds: float
    declared_seconds: float
    sample_rate: int
    channels: int
    remarks: tuple[str, ...] = ()
    skipped_at: int = 0
    skipped_samples: int = 0

    @property
    def skipped(self) -> slice:
        """Positions of the samples that were skipped to align the signal."""
        return slice(self.skipped_at, self.skipped_at + self.skipped_samples)

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
    aligned_to
        The first audible sample is moved to a multiple of this position, by skipping up to as many silent samples
        before it. Frames of this step then begin at the same instants of the music, however long the silence before it
        is. With the default nothing is skipped.
    block_samples
        Samples that are decoded at once, of all channels together.
    bounds
        What the reading of the file may cost.

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
        aligned_to: int = 1,
        block_samples: int = BLOCK_SAMPLES,
        bounds: Bounds | None = None,
    ) -> None:
        self._aligned_to = aligned_to
        self._path, self._block_samples, self._bounds = path, block_samples, bounds or Bounds()
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
            If the audio cannot be used: `EmptyAudio`, `UnreadableAudio`, `TooShort`, `TooLong`, `TooCostly`,
            `NotFinite` or `SilentAudio`. A stream that breaks off is no error; it is used as far as it goes.
        OSError
            If the file cannot be opened.
        """
        self._audio = None
        answer = ask_child(
            "signal",
            self._path,
            self._subject,
            self._bounds,
            limits=asdict(self._limits),
            sample_rate=self._sample_rate,
            trimmed_samples=self._trimmed_samples,
            aligned_to=self._aligned_to,
            block_samples=self._block_samples,
        )
        with closing(answer):
            try:
                while True:
                    yield next(answer)[1].view(np.float32)
            except StopIteration as end:
                facts = end.value
        self._audio = Audio(**facts | {"remarks": tuple(facts["remarks"])})


def read_audio_id(
    path: Path, limits: AudioLimits | None = None, subject: str = "", *, bounds: Bounds | None = None
) -> AudioId:
    """Decode a file and return the digest of its audio, which shows whether a changed file still has the same audio.

    The digest covers the sample rate, the number of channels and every sample of their mix. Features depend on nothing
    else. Where the channels cancel each other out, one of them takes the place of the mix. The digest covers neither
    tags nor container. Two builds of a decoder may decode the same MP3 with differences in the last bit, and so to
    different digests. The features are then computed once more.

    Parameters
    ----------
    path
        The file.
    limits
        Limits of the audio that is accepted.
    subject
        Name of the file in errors. The default is the name of the path.
    bounds
        What the reading of the file may cost.

    Returns
    -------
    AudioId
        32 hex digits of BLAKE2b, equal to `Audio.audio_id`.

    Raises
    ------
    AudioError
        If the audio cannot be used: `EmptyAudio`, `UnreadableAudio`, `TooShort`, `TooLong`, `TooCostly` or
        `NotFinite`.
    OSError
        If the file cannot be opened.
    """
    limits = limits or AudioLimits()
    ((answer, _),) = answer_of_child("audio id", path, subject or path.name, bounds or Bounds(), limits=asdict(limits))
    return AudioId(answer["audio_id"])
