"""A plot of how metrics changed over time."""

from collections.abc import Mapping, Sequence

import numpy as np

from mfcc_assets.plots.figure import COLOURS, drawable, wide_figure, write_figure

_LABELLED_POINTS = 10


def history(points: Sequence[str], metrics: Mapping[str, Sequence[float | None]], title: str) -> bytes:
    """Plot how metrics changed, with one line for each metric.

    Parameters
    ----------
    points
        Labels of the points in time, at least one, the oldest first.
    metrics
        Values (0 to 1) of each metric at all points, by the name of the metric. A value is None if it is not known.
    title
        Title. It is drawn literally: a dollar sign does not start a formula.

    Returns
    -------
    bytes
        A PNG of 900 × 300 pixels.

    Raises
    ------
    ValueError
        If there are no points, or more metrics than colours.
    """
    if not points or len(metrics) > len(COLOURS):
        raise ValueError(f"expected a point and at most {len(COLOURS)} metrics, got {len(points)} and {len(metrics)}")
    figure, axes = wide_figure(title, width=0.68)
    for (name, values), colour in zip(metrics.items(), COLOURS, strict=False):
        known = [np.nan if value is None else value for value in values]
        axes.plot(range(len(points)), known, color=colour, marker="o", markersize=4, label=name)
    axes.set_xlim(-0.5, len(points) - 0.5)
    axes.set_ylim(-0.03, 1.03)
    step = -(-len(points) // _LABELLED_POINTS)
    axes.set_xticks(range(0, len(points), step), [drawable(point) for point in points[::step]])
    axes.grid(axis="y", color="#dddddd")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8.5, borderaxespad=0)
    return write_figure(figure)
