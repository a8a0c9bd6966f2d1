"""The chains that encode the tracks of a labelled set again. Each depends on the path of the track alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from mfcc_assets.audio.reencode import AAC, OPUS, WAV, Chain
from mfcc_assets.evaluation.manifest import LabelledTrack

CLEAN = "clean"
"""Coding state of a track that is not encoded again."""

_QUERY_SECONDS = 30.0
_QUERY_RATES = (16_000, 24_000, 32_000)
_LARGEST_GAIN = 6.0

SEVERAL_CHAINS: Mapping[str, Chain] = MappingProxyType(
    {
        "mp3_128": Chain(44_100, 128_000, gain=0.0),
        "mp3_64": Chain(22_050, 64_000, gain=0.0),
        "aac_96": Chain(44_100, 96_000, gain=0.0, codec=AAC),
        "opus_64": Chain(48_000, 64_000, gain=0.0, codec=OPUS),
        "low_pass": Chain(None, None, gain=0.0, codec=WAV, low_pass=8_000.0),
        "gain": Chain(None, None, gain=-_LARGEST_GAIN, codec=WAV),
    }
)
"""Chains of a library from many sources, by the name of the coding state that they make."""


def one_chain(track: LabelledTrack) -> Chain:
    """Return the chain that re-encodes a track. It is the same for all tracks, except for the gain."""
    return Chain(
        sample_rate=22_050, bit_rate=96_000, gain=_random("gain", track).uniform(-_LARGEST_GAIN, _LARGEST_GAIN)
    )


def one_of_several_chains(track: LabelledTrack) -> Chain:
    """Return the chain of `SEVERAL_CHAINS` that is drawn for a track."""
    return SEVERAL_CHAINS[one_of_several_states(track)]


def one_of_several_states(track: LabelledTrack) -> str:
    """Return the name of the chain of `SEVERAL_CHAINS` that is drawn for a track."""
    return str(_random("chain", track).choice(list(SEVERAL_CHAINS)))


@dataclass(frozen=True)
class Reencoding:
    """A way to re-encode all tracks of a labelled set.

    Attributes
    ----------
    description
        What is done, for people.
    chain_of
        Returns the chain of a track.
    state_of
        Returns the coding state that the chain makes. Tracks of one state were coded alike.
    """

    description: str
    chain_of: Callable[[LabelledTrack], Chain]
    state_of: Callable[[LabelledTrack], str]


REENCODINGS: Mapping[str, Reencoding] = MappingProxyType(
    {
        "one_chain": Reencoding("22.05 kHz, MP3 of 96 kbit/s, gain of up to ± 6 dB", one_chain, lambda _: "re-encoded"),
        "several_chains": Reencoding(
            "MP3 of 128 or 64 kbit/s, AAC, Opus, a low-pass or a gain", one_of_several_chains, one_of_several_states
        ),
    }
)
"""The re-encodings that are measured, by name. The first one is that of the headline."""


def listeners_chain(track: LabelledTrack, seconds: float) -> Chain:
    """Return the chain that makes a listener's query of half a minute out of a track.

    Parameters
    ----------
    track
        A track of a labelled set.
    seconds
        Length of the track.
    """
    random = _random("query", track)
    return Chain(
        sample_rate=int(random.choice(_QUERY_RATES)),
        bit_rate=64_000,
        gain=random.uniform(-_LARGEST_GAIN, _LARGEST_GAIN),
        begin=random.uniform(0, max(0.0, seconds - _QUERY_SECONDS)),
        seconds=_QUERY_SECONDS,
    )


def _random(purpose: str, track: LabelledTrack) -> np.random.Generator:
    """Return a generator that depends on the purpose and on the path of the track alone."""
    return np.random.default_rng(list(f"{purpose} {track.path}".encode()))
