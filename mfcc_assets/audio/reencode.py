"""Encodes a file again with another codec, sample rate, bit rate, band width or loudness.

Excerpts for recognition services are made with it, and so are the files that measure how robust the engine is.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from math import inf, isinf
from pathlib import Path
from types import MappingProxyType
from typing import cast

import av
import numpy as np
import scipy  # loads its submodules when they are first used, which keeps imports short
from numpy.typing import NDArray

from mfcc_assets.audio.decoders import Decoder, open_decoder
from mfcc_assets.errors import UnreadableAudio

_BLOCK_FRAMES = 2**15
_FRAME_FORMAT = "fltp"

_LARGEST_SAMPLE = 1_000.0
"""60 dB above full scale. LAME ends the whole process if samples are far larger or are no numbers."""

_LOW_PASS_ORDER = 4
"""The level falls by 24 dB an octave above the limit."""


@dataclass(frozen=True)
class Codec:
    """An encoder of FFmpeg, and the file that its packets are written to.

    Attributes
    ----------
    encoder
        FFmpeg's name of the encoder.
    container
        FFmpeg's name of the format of the file.
    suffix
        Suffix of the name of such a file.
    sample_format
        Format of the samples that the encoder gets. They stay float32. With integers, loud samples would be clipped.
    options
        Options of the encoder.
    """

    encoder: str
    container: str
    suffix: str
    sample_format: str
    options: Mapping[str, str] = field(default_factory=dict)


# This level is much faster than LAME's default. Its lower quality does not make robustness tests easier.
MP3 = Codec("libmp3lame", "mp3", ".mp3", "fltp", MappingProxyType({"compression_level": "7"}))
AAC = Codec("aac", "mp4", ".m4a", "fltp")
OPUS = Codec("libopus", "ogg", ".opus", "flt")
WAV = Codec("pcm_f32le", "wav", ".wav", "flt")
"""Samples of float32, which lose nothing."""


@dataclass(frozen=True)
class Chain:
    """The steps that a file goes through when it is encoded again.

    Attributes
    ----------
    sample_rate
        Sample rate of the result in Hz; None to keep that of the source.
    bit_rate
        Bit rate of the result in bit/s; None for a codec that has none.
    gain
        Change of the level in decibels.
    begin, seconds
        Beginning and length of the part that is kept, in seconds. The default is the whole file.
    codec
        Codec of the result.
    low_pass
        Frequency in Hz above which the sound is taken away. The default keeps all of it.
    """

    sample_rate: int | None
    bit_rate: int | None
    gain: float
    begin: float = 0.0
    seconds: float = inf
    codec: Codec = field(default=MP3, repr=False)
    low_pass: float = field(default=inf, repr=False)

    @property
    def recipe(self) -> str:
        """Text with everything that decides the result, so that results of other settings are not mistaken for it."""
        codec = self.codec
        filtered = "" if isinf(self.low_pass) else f" low pass {_LOW_PASS_ORDER} {self.low_pass}"
        return f"{self} {codec.encoder} {codec.sample_format} {dict(codec.options)}{filtered}"


def reencode(source: Path, target: Path, chain: Chain) -> None:
    """Encode a file again, in stereo if the source has two channels, otherwise in mono.

    Nothing is clipped. Samples stay float32 from the decoder to the encoder, and every codec here can hold samples
    above full scale.

    Parameters
    ----------
    source
        The file to read.
    target
        The file to write. Its format is that of the chain's codec, whatever its name is.
    chain
        Processing of the audio.

    Raises
    ------
    UnreadableAudio
        If no decoder can read the source, or if samples are no numbers or far above full scale.
    OSError
        If a file cannot be opened.
    av.FFmpegError
        If the samples cannot be encoded.
    """
    codec = chain.codec
    amplitude = np.float32(10 ** (chain.gain / 20))
    with closing(open_decoder(source, source.name)) as decoder, av.open(target, "w", codec.container) as container:
        layout = "stereo" if decoder.channels == 2 else "mono"
        rate = chain.sample_rate or decoder.sample_rate
        encoder = cast("av.AudioStream", container.add_stream(codec.encoder, rate, dict(codec.options), layout=layout))
        if chain.bit_rate:
            encoder.bit_rate = chain.bit_rate
        encoder.codec_context.format = codec.sample_format
        kept = _blocks_between(decoder, chain.begin, chain.seconds)
        mixed = (block if decoder.channels <= 2 else block.mean(axis=1, keepdims=True) for block in kept)
        for samples in _below(chain.low_pass, mixed, decoder.sample_rate):
            # The comparison is false for NaN, too.
            if not (np.abs(samples) <= _LARGEST_SAMPLE).all():
                raise UnreadableAudio(
                    "its samples cannot be encoded, because some are no numbers or far above full scale",
                    subject=source.name,
                    remedy="Export the file again with integer samples",
                )
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(amplitude * samples.T), _FRAME_FORMAT, layout)
            frame.sample_rate = decoder.sample_rate
            container.mux(encoder.encode(frame))
        container.mux(encoder.encode(None))


def _below(limit: float, blocks: Iterable[NDArray[np.float32]], sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Yield blocks (frames, channels) without the sound above a frequency, as far as their sample rate holds such."""
    if limit >= sample_rate / 2:
        yield from blocks
        return
    sections = scipy.signal.butter(_LOW_PASS_ORDER, limit, fs=sample_rate, output="sos")
    state: NDArray[np.float64] | None = None
    for block in blocks:
        if state is None:
            state = np.zeros((len(sections), 2, block.shape[1]))
        filtered, state = scipy.signal.sosfilt(sections, block, axis=0, zi=state)
        yield filtered.astype(np.float32)


def _blocks_between(decoder: Decoder, begin: float, seconds: float) -> Iterator[NDArray[np.float32]]:
    """Yield blocks (frames, channels) of a part of the file, or fewer if the file ends within it."""
    to_drop = round(begin * decoder.sample_rate)
    remaining = seconds * decoder.sample_rate
    while remaining >= 1 and len(block := decoder.read(_BLOCK_FRAMES)):
        kept = block[min(to_drop, len(block)) :]
        to_drop -= len(block) - len(kept)
        if len(kept):
            yield kept[: int(min(remaining, len(kept)))]
            remaining -= len(kept)
