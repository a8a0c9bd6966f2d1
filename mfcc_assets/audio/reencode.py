"""A file as it comes back from another encoder: for measuring whether codec and level matter."""

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

# The format that LAME prefers, integers of 32 bits, would clip.
_SAMPLE_FORMAT = "fltp"

# A stereo track of 82 s takes 1.0 s instead of 1.8 s. What LAME then leaves out makes the test no easier.
_OPTIONS = {"compression_level": "7"}


@dataclass(frozen=True)
class Chain:
    """What a file goes through.

    Attributes
    ----------
    sample_rate, bit_rate
        Of the MP3, in Hz and bit/s.
    gain
        In decibels.
    begin, seconds
        The stretch that is cut out; by default all of it.
    """

    sample_rate: int
    bit_rate: int
    gain: float
    begin: float = 0.0
    seconds: float = inf

    @property
    def recipe(self) -> str:
        """All that decides what comes out, so that what was made otherwise is not taken for it."""
        return f"{self} {_ENCODER} {_SAMPLE_FORMAT} {_OPTIONS}"


def reencode(source: Path, target: Path, chain: Chain) -> None:
    """Put a file through a chain. What comes out is an MP3, in stereo if the source is, and otherwise in mono.

    Nothing is clipped: samples stay float32 from the decoder to LAME, and an MP3 holds what is louder than full scale,
    as it does behind FFmpeg's filter ``volume``.

    Raises
    ------
    UnreadableAudio
        No decoder makes sense of the source.
    """
    amplitude = np.float32(10 ** (chain.gain / 20))
    with closing(open_decoder(source, source.name)) as decoder, av.open(target, "w", format="mp3") as container:
        layout = "stereo" if decoder.channels == 2 else "mono"
        encoder = container.add_stream(_ENCODER, chain.sample_rate, _OPTIONS, layout=layout)
        encoder.bit_rate = chain.bit_rate
        encoder.codec_context.format = _SAMPLE_FORMAT
        for block in _stretch(decoder, chain.begin, chain.seconds):
            samples = block if decoder.channels <= 2 else block.mean(axis=1, keepdims=True)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(amplitude * samples.T), _SAMPLE_FORMAT, layout)
            frame.sample_rate = decoder.sample_rate
            container.mux(encoder.encode(frame))
        container.mux(encoder.encode(None))


def _stretch(decoder: Decoder, begin: float, seconds: float) -> Iterator[NDArray[np.float32]]:
    """The blocks (frames, channels) of a stretch, as far as the file goes."""
    to_drop = round(begin * decoder.sample_rate)
    remaining = seconds * decoder.sample_rate
    while remaining >= 1 and len(block := decoder.read(_BLOCK_FRAMES)):
        kept = block[min(to_drop, len(block)) :]
        to_drop -= len(block) - len(kept)
        if len(kept):
            yield kept[: int(min(remaining, len(kept)))]
            remaining -= len(kept)
