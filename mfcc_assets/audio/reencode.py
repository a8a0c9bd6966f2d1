"""Encodes a file again as MP3, at another sample rate, bit rate and loudness.

Excerpts for recognition services are made with it, and so are the files that measure how robust the engine is.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.decoders import Decoder, open_decoder

_BLOCK_FRAMES = 2**15
_ENCODER: Final = "libmp3lame"

_SAMPLE_FORMAT = "fltp"
"""Samples stay float32. LAME's preferred format, integers of 32 bits, would clip."""

_OPTIONS = {"compression_level": "7"}
"""This level is much faster than LAME's default. Its lower quality does not make robustness tests easier."""


@dataclass(frozen=True)
class Chain:
    """The steps that a file goes through when it is encoded again.

    Attributes
    ----------
    sample_rate
        Sample rate of the MP3 in Hz.
    bit_rate
        Bit rate of the MP3 in bit/s.
    gain
        Change of the level in decibels.
    begin, seconds
        Beginning and length of the part that is kept, in seconds. The default is the whole file.
    """

    sample_rate: int
    bit_rate: int
    gain: float
    begin: float = 0.0
    seconds: float = inf

    @property
    def recipe(self) -> str:
        """Text with everything that decides the result, so that results of other settings are not mistaken for it."""
        return f"{self} {_ENCODER} {_SAMPLE_FORMAT} {_OPTIONS}"


def reencode(source: Path, target: Path, chain: Chain) -> None:
    """Encode a file again as MP3, in stereo if the source has two channels, otherwise in mono.

    Nothing is clipped. Samples stay float32 from the decoder to LAME, and an MP3 can hold samples above full scale.

    Parameters
    ----------
    source
        The file to read.
    target
        The MP3 to write.
    chain
        Processing of the audio.

    Raises
    ------
    UnreadableAudio
        If no decoder can read the source.
    OSError
        If a file cannot be opened.
    av.FFmpegError
        If the samples cannot be encoded.
    """
    amplitude = np.float32(10 ** (chain.gain / 20))
    with closing(open_decoder(source, source.name)) as decoder, av.open(target, "w", format="mp3") as container:
        layout = "stereo" if decoder.channels == 2 else "mono"
        encoder = container.add_stream(_ENCODER, chain.sample_rate, _OPTIONS, layout=layout)
        encoder.bit_rate = chain.bit_rate
        encoder.codec_context.format = _SAMPLE_FORMAT
        for block in _blocks_between(decoder, chain.begin, chain.seconds):
            samples = block if decoder.channels <= 2 else block.mean(axis=1, keepdims=True)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(amplitude * samples.T), _SAMPLE_FORMAT, layout)
            frame.sample_rate = decoder.sample_rate
            container.mux(encoder.encode(frame))
        container.mux(encoder.encode(None))


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
