"""The picture of a pair of tracks: where they sound alike, and how they are aligned."""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.features.contour import ContourTimes
from mfcc_assets.plots.figure import PLOT_COLUMNS, ImageFormat, block_means, drawable, new_figure, write_figure
from mfcc_assets.similarity.explain import Explanation, SimilarStretch, moment_differences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Span: TypeAlias = tuple[float, float]

_INCHES = (8, 8)

# Each block is three pixels wide. With one pixel a matrix looks like noise, and its PNG compresses badly.
_MATRIX_BLOCKS = 204

_LARGEST_DEVIATION = 2.5
"""Deviations of a coefficient beyond this have the same colour."""

_STRETCH_COLOURS = ("#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#a6761d")
_PATH_COLOUR = "#e45756"
_LABEL_SIZE = 9
_MOST_TIMES = 7


def pair_picture(
    contours: tuple[NDArray[np.floating], NDArray[np.floating]],
    scales: NDArray[np.floating],
    explanation: Explanation,
    times: tuple[ContourTimes, ContourTimes],
    titles: tuple[str, str],
    form: ImageFormat = "png",
) -> bytes:
    """Plot where two tracks sound alike, and the path that aligns them, beside the heat maps of both.

    Parameters
    ----------
    contours
        Contours of both tracks, of shapes (n, d) and (m, d). The first is drawn along the bottom, the second along the
        left.
    scales : (d,)
        Standard deviation of each coefficient over the library.
    explanation
        The explanation of this pair.
    times
        Times of both contours in their files. Silence stays blank.
    titles
        Titles of both tracks. They are drawn literally: a dollar sign does not start a formula.
    form
        "png" for a PNG of 800 × 800 pixels, or "svg".
    """
    figure = _drawn_pair(contours, scales, explanation, times)
    closer_than = explanation.control.closer_than
    said = f"By dynamic time warping alone: closer than {closer_than:.1%} of random pairs of the library"
    figure.text(0.19, 0.972, said, fontsize=10)
    key = "Dark: alike. Red: the warping path. Boxes: where they sound alike. At the sides: the coefficients"
    figure.text(0.19, 0.952, key, fontsize=7.5)
    _write_below_and_beside(figure, *(f"{drawable(title)}, seconds" for title in titles))
    return write_figure(figure, form)


def pair_picture_without_words(
    contours: tuple[NDArray[np.floating], NDArray[np.floating]],
    scales: NDArray[np.floating],
    explanation: Explanation,
    times: tuple[ContourTimes, ContourTimes],
) -> bytes:
    """Plot a pair as `pair_picture` does, but with numbers and units alone, for a page that says the rest itself.

    Parameters
    ----------
    contours, scales, explanation, times
        As for `pair_picture`.

    Returns
    -------
    bytes
        A PNG of 800 × 800 pixels.
    """
    figure = _drawn_pair(contours, scales, explanation, times)
    _write_below_and_beside(figure, "s", "s")
    return write_figure(figure)


def _drawn_pair(
    contours: tuple[NDArray[np.floating], NDArray[np.floating]],
    scales: NDArray[np.floating],
    explanation: Explanation,
    times: tuple[ContourTimes, ContourTimes],
) -> "Figure":
    figure = new_figure(_INCHES)
    of_a, of_b, coefficients = (0.0, times[0].seconds), (0.0, times[1].seconds), (0.5, len(scales) + 0.5)
    matrix = _axes(figure, (0.19, 0.955), (0.18, 0.945), of_a, of_b)
    below = _axes(figure, (0.19, 0.955), (0.06, 0.17), of_a, coefficients)
    beside = _axes(figure, (0.07, 0.18), (0.18, 0.945), coefficients, of_b)
    _draw_differences(matrix, contours, scales, times)
    _draw_contours((below, beside), contours, scales, times)
    _draw_path(matrix, explanation)
    for number, (stretch, colour) in enumerate(zip(explanation.stretches, _STRETCH_COLOURS, strict=False), start=1):
        in_a, in_b = (stretch.a_start, stretch.a_end), (stretch.b_start, stretch.b_end)
        for axes, x, y in ((matrix, in_a, in_b), (below, in_a, coefficients), (beside, coefficients, in_b)):
            _draw_box(axes, x, y, colour)
        _draw_stretch(matrix, stretch, str(number), colour)
    _mark(matrix, below, beside, len(scales))
    return figure


def _axes(figure: "Figure", left_right: _Span, bottom_top: _Span, x: _Span, y: _Span) -> "Axes":
    """Add axes at a place given in shares of the figure, with the limits `x` and `y`, and without ticks."""
    (left, right), (bottom, top) = left_right, bottom_top
    axes = figure.add_axes((left, bottom, right - left, top - bottom), xlim=x, ylim=y)
    axes.tick_params(labelsize=8, bottom=False, labelbottom=False, left=False, labelleft=False)
    return axes


def _draw_image(axes: "Axes", values: NDArray[np.floating], colours: str, limits: _Span) -> None:
    """Fill axes with a matrix, whose first row is at the bottom."""
    # Without interpolation an SVG holds the matrix itself, and its viewer enlarges it.
    axes.imshow(
        values,
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        origin="lower",
        aspect="auto",
        interpolation="none",
        extent=(*axes.get_xlim(), *axes.get_ylim()),
    )


def _draw_differences(
    axes: "Axes",
    contours: tuple[NDArray[np.floating], NDArray[np.floating]],
    scales: NDArray[np.floating],
    times: tuple[ContourTimes, ContourTimes],
) -> None:
    differences = _in_file(moment_differences(*contours, scales), times[0], _MATRIX_BLOCKS)
    differences = _in_file(differences.T, times[1], _MATRIX_BLOCKS)
    darkest, brightest = np.nanpercentile(differences, (1, 99)).tolist()
    _draw_image(axes, differences, "Greys_r", (darkest, max(brightest, darkest + 0.1)))
    for spine in axes.spines.values():
        spine.set_visible(False)


def _in_file(values: NDArray[np.floating], times: ContourTimes, blocks: int) -> NDArray[np.float64]:
    """Average rows that divide a contour evenly in blocks of equal time of the file; NaN where the file is silent."""
    # Silence makes a file longer than its contour, but the contour's rows should not become coarser.
    rows = round(len(values) * times.seconds / times.sounding_seconds)
    return block_means(times.spread(values, max(rows, 1)), blocks)


def _draw_contours(
    below_and_beside: tuple["Axes", "Axes"],
    contours: tuple[NDArray[np.floating], NDArray[np.floating]],
    scales: NDArray[np.floating],
    times: tuple[ContourTimes, ContourTimes],
) -> None:
    mean = np.mean(np.concatenate(contours), axis=0)
    first, second = (
        _in_file((contour - mean) / scales, of_track, PLOT_COLUMNS)
        for contour, of_track in zip(contours, times, strict=True)
    )
    for axes, values in zip(below_and_beside, (first.T, second), strict=True):
        _draw_image(axes, values, "RdBu_r", (-_LARGEST_DEVIATION, _LARGEST_DEVIATION))


def _draw_path(axes: "Axes", explanation: Explanation) -> None:
    for colour, width in (("#ffffff", 3.2), (_PATH_COLOUR, 1.6)):
        axes.plot(*zip(*explanation.path, strict=True), color=colour, linewidth=width, zorder=3)


def _draw_box(axes: "Axes", x: _Span, y: _Span, colour: str) -> None:
    from matplotlib.patches import Rectangle

    width, height = x[1] - x[0], y[1] - y[0]
    # The edge of a box at the edge of the axes would be cut to half its width.
    axes.add_patch(
        Rectangle((x[0], y[0]), width, height, fill=False, edgecolor=colour, linewidth=2, zorder=2.6, clip_on=False)
    )


def _draw_stretch(axes: "Axes", stretch: SimilarStretch, number: str, colour: str) -> None:
    """Draw the diagonal of a stretch, and its number in the corner where both tracks begin."""
    ends = (stretch.a_start, stretch.a_end), (stretch.b_start, stretch.b_end)
    axes.plot(*ends, color=colour, linewidth=1.6, linestyle="--", zorder=2.6)
    axes.annotate(
        number,
        (stretch.a_start, stretch.b_start),
        (4, 4),
        textcoords="offset points",
        fontsize=9,
        weight="bold",
        color="#ffffff",
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.5},
    )


def _mark(matrix: "Axes", below: "Axes", beside: "Axes", coefficients: int) -> None:
    """Mark seconds and coefficients at the outer edges."""
    from matplotlib.ticker import MaxNLocator

    matrix.set(xticks=[], yticks=[])
    below.xaxis.set_major_locator(MaxNLocator(_MOST_TIMES, steps=[1, 2, 5, 10]))
    below.set_yticks([1, coefficients])
    below.tick_params(bottom=True, labelbottom=True, right=True, labelright=True)
    beside.yaxis.set_major_locator(MaxNLocator(_MOST_TIMES, steps=[1, 2, 5, 10]))
    beside.set_xticks([1, coefficients])
    beside.tick_params(left=True, labelleft=True, top=True, labeltop=True)


def _write_below_and_beside(figure: "Figure", below: str, beside: str) -> None:
    centred: dict[str, Any] = {"horizontalalignment": "center", "verticalalignment": "center"}
    centred |= {"fontsize": _LABEL_SIZE, "parse_math": False}
    figure.text(0.5725, 0.024, below, **centred)
    figure.text(0.027, 0.5625, beside, rotation=90, **centred)
