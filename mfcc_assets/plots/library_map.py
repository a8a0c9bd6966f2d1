"""The map of a library."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox
from mfcc_assets.plots.tracks import _COLOURS, _MAP_INCHES, _drawable, _drawn, _figure

MOST_LABELS = len(_COLOURS)
"""As many labels of a map have a colour of their own."""

_NAME_LETTERS = 28


def library_map(points: npt.NDArray[np.floating], labels: Sequence[str], names: Mapping[int, str], title: str) -> bytes:
    """Plot a library as a map, coloured by the labels that most tracks carry.

    Parameters
    ----------
    points
        Shape (n, 2), a point a track.
    labels
        Of each track its artist, for example; ``""`` where it has none.
    names
        By the number of a point what is to be written beside it; what finds no room beside those before it is left out.
    title
        Written as it is: no mathtext.

    Returns
    -------
    bytes
        A PNG of 1,100 × 700 pixels.
    """
    figure = _figure(_MAP_INCHES)
    axes = figure.add_axes((0.015, 0.02, 0.735, 0.925))
    axes.set_title(_drawable(title), fontsize=10, loc="left", parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
    counts = Counter(label for label in labels if label)
    size = float(np.clip(12_000 / max(1, len(points)), 6, 45))
    coloured = [label for label, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: len(_COLOURS)]]
    of_label = np.array(labels)
    others = ~np.isin(of_label, coloured)
    groups = [(f"others ({others.sum()})", "#c8c8c8", others)] if others.any() else []
    for label, colour in zip(coloured, _COLOURS, strict=False):
        shown = label if len(label) <= _NAME_LETTERS else f"{label[: _NAME_LETTERS - 1]}…"
        groups.append((f"{_drawable(shown)} ({counts[label]})", colour, of_label == label))
    for group, colour, rows in groups:
        axes.scatter(
            points[rows, 0], points[rows, 1], s=size, color=colour, label=group, edgecolors="#ffffff", linewidths=0.4
        )
    handles, shown_labels = axes.get_legend_handles_labels()
    first = int(bool(others.any()))  # the others are drawn first, below all, and told last
    legend = axes.legend(
        [*handles[first:], *handles[:first]], [*shown_labels[first:], *shown_labels[:first]],
        loc="upper left", bbox_to_anchor=(1.005, 1.0), frameon=False, fontsize=8.5, handletextpad=0.3, borderaxespad=0,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)
    _write_names(axes, points, names)
    return _drawn(figure, "png")


def _write_names(axes: "Axes", points: npt.NDArray[np.floating], names: Mapping[int, str]) -> None:
    """Write names on one side or the other of their points, where they cover neither a point nor a name."""
    drawn = axes.transData.transform(points)
    frame = axes.get_window_extent()
    taken: list[Bbox] = []
    for row, name in names.items():
        shown = name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 1]}…"
        text = axes.annotate(
            _drawable(shown),
            points[row],
            (6, 0),
            textcoords="offset points",
            fontsize=7.5,
            color="#333333",
            verticalalignment="center",
            parse_math=False,
        )
        for side, alignment in ((6, "left"), (-6, "right")):
            text.set(position=(side, 0), horizontalalignment=alignment)
            box = text.get_window_extent()
            covers = [*(box.overlaps(other) for other in taken), box.count_contains(drawn) > 0]
            if not any(covers) and frame.x0 < box.x0 and box.x1 < frame.x1:
                taken.append(box)
                break
        else:
            text.remove()
