"""Panels of a figure: rasters, lines and ticks with scales of their own.

Axes of matplotlib show the same, but make some hundred artists for it, and resample images in floating point: a picture
of three panels took twice as long with them.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox, BboxBase, BboxTransform, BboxTransformTo, TransformedBbox, offset_copy
from numpy.typing import ArrayLike, NDArray

Span = tuple[float, float]
Side = Literal["left", "right", "bottom", "top"]

# How matplotlib names a tick on this side, where its number lies, and which part of the number lies there.
_TICKS: dict[Side, tuple[int, tuple[int, int], tuple[str, str]]] = {
    "left": (0, (-1, 0), ("right", "center_baseline")),
    "right": (1, (1, 0), ("left", "center_baseline")),
    "top": (2, (0, 1), ("center", "baseline")),
    "bottom": (3, (0, -1), ("center", "top")),
}

_TICK_POINTS, _TICK_NUMBER_POINTS = 3.5, 6
_TICK_NUMBER_SIZE = 8


class Panel:
    """A part of a figure with scales of its own.

    Parameters
    ----------
    left_right, bottom_top
        Where it lies, in shares of the figure.
    x, y
        What its edges stand for.
    """

    def __init__(self, figure: Figure, left_right: Span, bottom_top: Span, *, x: Span, y: Span) -> None:
        self.x, self.y = x, y
        self._figure = figure
        edges = Bbox(list(zip(left_right, bottom_top, strict=True)))
        self._bounds = TransformedBbox(edges, figure.transFigure)
        self._place = BboxTransform(Bbox(list(zip(x, y, strict=True))), self._bounds)

    def raster(self, values: NDArray[np.floating], colours: str, limits: Span) -> None:
        """Fill the panel with a matrix, whose first row is at the bottom, in colours from one limit to the other."""
        shares = (values - limits[0]) / (limits[1] - limits[0])
        self._figure.add_artist(_Raster(colormaps[colours](shares, bytes=True), self._bounds))

    def line(self, x: ArrayLike, y: ArrayLike, **look: Any) -> None:
        self._figure.add_artist(Line2D(x, y, transform=self._place, **look))

    def box(self, x: Span, y: Span, *, colour: str, linewidth: float) -> None:
        corners = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]), (x[0], y[0])]
        self.line(*zip(*corners, strict=True), color=colour, linewidth=linewidth)

    def text(self, x: float, y: float, text: str, *, points: tuple[float, float], **look: Any) -> None:
        """Write, so many points to the right of a place and above it."""
        self._figure.text(x, y, text, transform=offset_copy(self._place, self._figure, *points, units="points"), **look)

    def ticks(self, side: Side, numbers: Sequence[float]) -> None:
        """Mark numbers along a side, and write them outside of the panel."""
        marker, (right, up), (horizontal, vertical) = _TICKS[side]
        edge = np.full(len(numbers), (self.x if right else self.y)[max(right, up, 0)])
        x, y = (edge, numbers) if right else (numbers, edge)
        self.line(x, y, linestyle="", marker=marker, color="#000000", markersize=_TICK_POINTS)
        for at_x, at_y, number in zip(x, y, numbers, strict=True):
            self.text(
                at_x,
                at_y,
                f"{number:g}",
                points=(_TICK_NUMBER_POINTS * right, _TICK_NUMBER_POINTS * up),
                fontsize=_TICK_NUMBER_SIZE,
                horizontalalignment=horizontal,
                verticalalignment=vertical,
            )


def round_numbers(highest: float, *, most: int = 8) -> list[float]:
    """Evenly spaced round numbers from 0 to `highest`, so many at most: for `Panel.ticks`."""
    numbers = MaxNLocator(most - 1, steps=[1, 2, 5, 10]).tick_values(0, highest)
    return [float(number) for number in numbers if 0 <= number <= highest]


class _Raster(Artist):
    """Colours (rows, columns, 4) that fill a place, each with sharp edges."""

    def __init__(self, colours: NDArray[np.uint8], place: BboxBase) -> None:
        super().__init__()
        self._colours, self._place = colours, place

    def draw(self, renderer: RendererBase) -> None:
        graphics = renderer.new_gc()
        left, bottom, right, top = self._place.extents
        if renderer.option_scale_image():  # whoever shows an SVG does
            renderer.draw_image(graphics, 0, 0, self._colours, BboxTransformTo(self._place))
        else:
            rows = _nearest(len(self._colours), round(top) - round(bottom))
            columns = _nearest(self._colours.shape[1], round(right) - round(left))
            renderer.draw_image(graphics, round(left), round(bottom), self._colours[rows][:, columns])
        graphics.restore()


def _nearest(count: int, pixels: int) -> NDArray[np.intp]:
    """Which of so many rows each pixel of a line shows."""
    return np.arange(pixels) * count // pixels
