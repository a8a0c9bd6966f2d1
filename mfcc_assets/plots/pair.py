"""The picture of a pair of tracks."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mfcc_assets.plots.tracks import (
    _COLUMNS,
    _SHOWN_DEVIATIONS,
    _SQUARE_INCHES,
    _block_means,
    _drawable,
    _drawn,
    _figure,
)
from mfcc_assets.similarity.explain import Explanation, moment_differences

# Three pixels each: at one, a matrix looks like noise, and its PNG takes four times as long to compress.
_MATRIX_BLOCKS = 204
_STRETCH_COLOURS = ("#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#a6761d")


def pair_picture(
    contours: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]],
    scales: npt.NDArray[np.floating],
    explanation: Explanation,
    seconds: tuple[float, float],
    titles: tuple[str, str],
    form: Literal["png", "svg"] = "png",
) -> bytes:
    """Plot where two tracks sound alike, and the path that aligns them, beside the heat maps of both.

    Parameters
    ----------
    contours
        Of shapes (n, d) and (m, d): the first is drawn along the bottom, the second along the left.
    scales
        Shape (d,): each coefficient's standard deviation over the library.
    explanation
        Of these two.
    seconds
        Length of both tracks.
    titles
        Of both tracks, written as they are: no mathtext.
    form
        A PNG of 800 × 800 pixels, or an SVG.
    """
    from mfcc_assets.plots.panels import Panel, round_numbers

    figure = _figure(_SQUARE_INCHES)
    place = explanation.control
    figure.text(0.19, 0.972, f"Closer than {place.closer_than:.1%} of random pairs of the library", fontsize=10)
    key = "Dark: alike. Red: the warping path. Boxes: where they sound alike. At the sides: the coefficients"
    figure.text(0.19, 0.952, key, fontsize=7.5)
    of_a, of_b, of_coefficients = (0.0, seconds[0]), (0.0, seconds[1]), (0.5, len(scales) + 0.5)
    matrix = Panel(figure, (0.19, 0.955), (0.18, 0.945), x=of_a, y=of_b)
    below = Panel(figure, (0.19, 0.955), (0.06, 0.17), x=of_a, y=of_coefficients)
    beside = Panel(figure, (0.07, 0.18), (0.18, 0.945), x=of_coefficients, y=of_b)

    differences = _block_means(moment_differences(*contours, scales), _MATRIX_BLOCKS)
    differences = _block_means(differences.T, _MATRIX_BLOCKS)
    darkest, brightest = np.percentile(differences, (1, 99)).tolist()
    matrix.raster(differences, "Greys_r", (darkest, max(brightest, darkest + 0.1)))
    deviations = [(contour - np.mean(np.concatenate(contours), axis=0)) / scales for contour in contours]
    below.raster(_block_means(deviations[0], _COLUMNS).T, "RdBu_r", _SHOWN_DEVIATIONS)
    beside.raster(_block_means(deviations[1], _COLUMNS), "RdBu_r", _SHOWN_DEVIATIONS)
    for panel in (below, beside):
        panel.box(panel.x, panel.y, colour="#000000", linewidth=0.8)

    times = np.array(explanation.path).T
    matrix.line(*times, color="#ffffff", linewidth=3.2, zorder=3)
    matrix.line(*times, color="#e45756", linewidth=1.6, zorder=3)
    for number, (stretch, colour) in enumerate(zip(explanation.stretches, _STRETCH_COLOURS, strict=False), start=1):
        in_a, in_b = (stretch.a_start, stretch.a_end), (stretch.b_start, stretch.b_end)
        for panel, x, y in ((matrix, in_a, in_b), (below, in_a, of_coefficients), (beside, of_coefficients, in_b)):
            panel.box(x, y, colour=colour, linewidth=2)
        matrix.line(in_a, in_b, color=colour, linewidth=1.6, linestyle="--")
        box = {"facecolor": colour, "edgecolor": "none", "pad": 1.5}
        look = {"color": "#ffffff", "fontsize": 9, "weight": "bold", "bbox": box}
        matrix.text(stretch.a_start, stretch.b_start, str(number), points=(4, 4), **look)

    below.ticks("bottom", round_numbers(seconds[0]))
    below.ticks("right", (1, len(scales)))
    beside.ticks("left", round_numbers(seconds[1]))
    beside.ticks("top", (1, len(scales)))
    centred: dict[str, Any] = {"horizontalalignment": "center", "verticalalignment": "center"}
    centred |= {"fontsize": 9, "parse_math": False}
    figure.text(0.5725, 0.024, f"{_drawable(titles[0])}, seconds", **centred)
    figure.text(0.027, 0.5625, f"{_drawable(titles[1])}, seconds", rotation=90, **centred)
    return _drawn(figure, form)
