"""How figures changed over time."""

from collections.abc import Mapping, Sequence

import numpy as np

from mfcc_assets.plots.tracks import _COLOURS, _drawable, _drawn, _figure_with_axes

_POINTS_NAMED = 10


def history(points: Sequence[str], figures: Mapping[str, Sequence[float | None]], title: str) -> bytes:
    """Plot how shares changed, a line a figure.

    Parameters
    ----------
    points
        What is written below, in order of time: at least one.
    figures
        By name the share (0 to 1) at each point, None where it is not known.
    title
        Written as it is: no mathtext.

    Returns
    -------
    bytes
        A PNG of 900 × 300 pixels.
    """
    figure, axes = _figure_with_axes(title, width=0.68)
    for (name, shares), colour in zip(figures.items(), _COLOURS, strict=False):
        known = [np.nan if share is None else share for share in shares]
        axes.plot(range(len(points)), known, color=colour, marker="o", markersize=4, label=name)
    axes.set_xlim(-0.5, len(points) - 0.5)
    axes.set_ylim(-0.03, 1.03)
    step = -(-len(points) // _POINTS_NAMED)
    axes.set_xticks(range(0, len(points), step), [_drawable(point) for point in points[::step]])
    axes.grid(axis="y", color="#dddddd")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8.5, borderaxespad=0)
    return _drawn(figure, "png")
