"""Why two tracks are near to each other, as the template `why.html` shows it: for pairs of the library, and uploads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mfcc_assets.web.cards import Card

if TYPE_CHECKING:
    from mfcc_assets.pipeline.explain import ExplainedPair
    from mfcc_assets.similarity.explain import SimilarStretch

WIDTH = 1000
"""Width of the drawing of the stretches, in its own units."""

_UPPER, _LOWER, _LANE = 0, 100, 40
"""Upper edge of both lanes, and their height."""

_LEAST_WIDTH = 4
"""A shorter stretch of a long track could not be seen."""


@dataclass(frozen=True)
class Part:
    """A part of a track that plays: the address of its audio, and its times in seconds."""

    audio: str
    begin: float
    end: float

    def record(self) -> dict[str, str | float]:
        """Return the part as the player takes it."""
        return {"audio": self.audio, "from": round(self.begin, 2), "to": round(self.end, 2)}


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
        Points of the shape that joins both parts in the drawing, as SVG has them.
    """

    number: int
    a: Part
    b: Part
    closer_than: float
    outline: str


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
    lanes
        Left edge, upper edge, width and height of the lane of each track in the drawing.
    """

    pair: "ExplainedPair"
    a: Card
    b: Card
    picture: str
    stretches: Sequence[PairOfParts]
    lanes: Sequence[tuple[float, float, float, float]]


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
    lengths = [_length(pair, "a", a), _length(pair, "b", b)]
    scale = WIDTH / max(lengths)
    stretches = [
        PairOfParts(
            number,
            Part(a.audio, found.a_start, found.a_end),
            Part(b.audio, found.b_start, found.b_end),
            found.closer_than,
            _outline(found, scale),
        )
        for number, found in enumerate(pair.explanation.stretches, start=1)
    ]
    lanes = [
        (0.0, float(top), round(seconds * scale, 1), float(_LANE))
        for top, seconds in zip((_UPPER, _LOWER), lengths, strict=True)
    ]
    return Why(pair, a, b, picture, stretches, lanes)


def _length(pair: "ExplainedPair", name: str, card: Card) -> float:
    ends = [getattr(found, f"{name}_end") for found in pair.explanation.stretches]
    ends += [time[0 if name == "a" else 1] for time in pair.explanation.path[-1:]]
    return max(card.seconds or 0.0, 1.0, *ends)


def _outline(found: "SimilarStretch", scale: float) -> str:
    """Return the corners of both parts, and between them a band that joins them."""
    a_left, a_right = _edges(found.a_start, found.a_end, scale)
    b_left, b_right = _edges(found.b_start, found.b_end, scale)
    left = [(a_left, _UPPER), (a_left, _UPPER + _LANE), (b_left, _LOWER), (b_left, _LOWER + _LANE)]
    right = [(b_right, _LOWER + _LANE), (b_right, _LOWER), (a_right, _UPPER + _LANE), (a_right, _UPPER)]
    return " ".join(f"{x:.1f},{y}" for x, y in left + right)


def _edges(begin: float, end: float, scale: float) -> tuple[float, float]:
    left = min(begin * scale, WIDTH - _LEAST_WIDTH)
    return left, max(end * scale, left + _LEAST_WIDTH)
