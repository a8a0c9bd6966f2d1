"""The map of a library: every track is a point."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.plots.figure import COLOURS, drawable, new_figure, shorten, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

MOST_LABELS = len(COLOURS)
"""Largest number of labels that have a colour on a map. Tracks with any other label are grey."""

_INCHES = (11, 7)
_NAME_LETTERS = 28
_KEY_SIZE = 40
"""Area of a point of the key. On a map of many tracks the points are too small to tell their colours apart."""

_SMALL = 15
"""Area of points that a white edge would hide."""

_OTHERS_COLOUR = "#c8c8c8"


def library_map(points: NDArray[np.floating], labels: Sequence[str], names: Mapping[int, str], title: str) -> bytes:
    """Plot a library as a map, coloured by the most frequent labels.

    Parameters
    ----------
    points : (n, 2)
        Position of each track.
    labels
        Label of each track, for example its artist; ``""`` if it has none.
    names
        Name to write beside a point, by its row in `points`. Names that would cover a point or an earlier name are left
        out.
    title
        Title. It is drawn literally: a dollar sign does not start a formula.

    Returns
    -------
    bytes
        A PNG of 1,100 × 700 pixels.
    """
    figure = new_figure(_INCHES)
    axes = figure.add_axes((0.015, 0.02, 0.735, 0.925))
    axes.set_title(drawable(title), fontsize=10, loc="left", parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
    size = float(np.clip(12_000 / max(1, len(points)), 6, 45))
    for label, colour, rows, height in _groups(labels):
        axes.scatter(
            points[rows, 0],
            points[rows, 1],
            s=size,
            color=colour,
            label=label,
            zorder=height,
            edgecolors="#ffffff",
            linewidths=0.4 if size > _SMALL else 0,
        )
    if len(points):
        key = axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.005, 1.0),
            frameon=False,
            fontsize=8.5,
            handletextpad=0.3,
            borderaxespad=0,
        )
        for text in key.get_texts():
            text.set_parse_math(False)
        for handle in filter(None, key.legend_handles):
            handle.set(sizes=[_KEY_SIZE])
    _write_names(axes, points, names)
    return write_figure(figure)


def _groups(labels: Sequence[str]) -> Iterator[tuple[str, str, NDArray[np.bool_], float]]:
    """Yield text of the key, colour, rows and zorder of each group of points, in the order of the key."""
    counts = Counter(label for label in labels if label)
    coloured = sorted(counts, key=lambda label: (-counts[label], label))[:MOST_LABELS]
    all_labels = np.array(labels)
    for label, colour in zip(coloured, COLOURS, strict=False):
        yield f"{drawable(shorten(label, _NAME_LETTERS))} ({counts[label]})", colour, all_labels == label, 1
    others = ~np.isin(all_labels, coloured)
    if others.any():
        # Grey points lie below the coloured ones.
        yield f"others ({others.sum()})", _OTHERS_COLOUR, others, 0.5


def _write_names(axes: "Axes", points: NDArray[np.floating], names: Mapping[int, str]) -> None:
    """Write each name to the right or to the left of its point, if it covers no point and no earlier name there."""
    drawn = axes.transData.transform(points)
    frame = axes.get_window_extent()
    taken: list[Bbox] = []
    for row, name in names.items():
        text = axes.annotate(
            drawable(shorten(name, _NAME_LETTERS)),
            points[row],
            (6, 0),
            textcoords="offset points",
            fontsize=7.5,
            color="#333333",
            verticalalignment="center",
            parse_math=False,
        )
        for offset, alignment in ((6, "left"), (-6, "right")):
            text.set(position=(offset, 0), horizontalalignment=alignment)
            box = text.get_window_extent()
            covers = [*(box.overlaps(other) for other in taken), box.count_contains(drawn) > 0]
            if not any(covers) and frame.x0 < box.x0 and box.x1 < frame.x1:
                taken.append(box)
                break
        else:
            text.remove()
