"""Why two tracks are near to each other, as the template `why.html` shows it: for pairs of the library, and uploads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mfcc_assets.web.cards import Card

if TYPE_CHECKING:
    from mfcc_assets.pipeline.explain import ExplainedPair
    from mfcc_assets.similarity.explain import SimilarStretch

WIDTH, HEIGHT = 1000, 40
"""Size of the drawing between both waveforms, in its own units. Each track reaches from its left to its right edge."""

_LEAST_WIDTH = 4
"""A shorter stretch of a long track could not be seen."""


@dataclass(frozen=True)
class Part:
    """A part of a track that plays: the address of its audio, its title, and its times in seconds."""

    audio: str
    name: str
    begin: float
    end: float

    def record(self) -> dict[str, str | float]:
        """Return the part as the player takes it."""
        return {"audio": self.audio, "from": round(self.begin, 2), "to": round(self.end, 2), "name": self.name}


@dataclass(frozen=True)
class PairOfParts:
    """A stretch of one track that sounds like a stretch of another.

    Attributes
    ----------
    number
        Its number, 1 for the best one.
    a, b
        The parts of both tracks.
    closer_than
        Share of random moments of the library that differ more, 0 to 1.
    outline
        Points of the band that joins both parts in the drawing, as SVG has them.
    """

    number: int
    a: Part
    b: Part
    closer_than: float
    outline: str

    @property
    def heard(self) -> list[dict[str, str | float]]:
        """The parts as the player takes them, without a part that nobody may hear, as that of a shared upload."""
        return [part.record() for part in (self.a, self.b) if part.audio]


@dataclass(frozen=True)
class Why:
    """Why two tracks are near to each other.

    Attributes
    ----------
    pair
        The explanation.
    a, b
        The tracks as lists show them.
    picture
        Address of the picture of the path.
    stretches
        Stretches that sound alike, best first.
    seconds
        Lengths of both tracks.
    """

    pair: "ExplainedPair"
    a: Card
    b: Card
    picture: str
    stretches: Sequence[PairOfParts]
    seconds: tuple[float, float]

    @property
    def spans(self) -> tuple[Sequence[Mapping[str, float]], Sequence[Mapping[str, float]]]:
        """The parts of each track as a waveform shows them."""
        of_a = [_span(stretch.number, stretch.a) for stretch in self.stretches]
        return of_a, [_span(stretch.number, stretch.b) for stretch in self.stretches]


def why_of(pair: "ExplainedPair", a: Card, b: Card, picture: str) -> Why:
    """Return an explained pair for the template.

    Parameters
    ----------
    pair
        The explanation.
    a, b
        Its tracks, in the same order.
    picture
        Address of the picture of the path.
    """
    lengths = _length(pair, 0, a), _length(pair, 1, b)
    stretches = [
        PairOfParts(
            number,
            Part(a.audio, a.title, found.a_start, found.a_end),
            Part(b.audio, b.title, found.b_start, found.b_end),
            found.closer_than,
            _outline(found, lengths),
        )
        for number, found in enumerate(pair.explanation.stretches, start=1)
    ]
    return Why(pair, a, b, picture, stretches, lengths)


def _span(number: int, part: Part) -> dict[str, float]:
    return {"from": round(part.begin, 2), "to": round(part.end, 2), "number": number}


def _length(pair: "ExplainedPair", side: int, card: Card) -> float:
    ends = [(found.a_end, found.b_end)[side] for found in pair.explanation.stretches]
    ends += [moment[side] for moment in pair.explanation.path[-1:]]
    return max(card.seconds or 0.0, 1.0, *ends)


def _outline(found: "SimilarStretch", lengths: tuple[float, float]) -> str:
    a_left, a_right = _edges(found.a_start, found.a_end, lengths[0])
    b_left, b_right = _edges(found.b_start, found.b_end, lengths[1])
    corners = [(a_left, 0), (a_right, 0), (b_right, HEIGHT), (b_left, HEIGHT)]
    return " ".join(f"{x:.1f},{y}" for x, y in corners)


def _edges(begin: float, end: float, seconds: float) -> tuple[float, float]:
    left = min(begin * WIDTH / seconds, WIDTH - _LEAST_WIDTH)
    return left, max(end * WIDTH / seconds, left + _LEAST_WIDTH)
