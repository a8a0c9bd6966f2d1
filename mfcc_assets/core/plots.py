"""Plots of cepstra and of what is made of them: arrays in, the bytes of a PNG or SVG out.

Figures are made without pyplot, whose state is global, so that any thread may draw.
"""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from mfcc_assets.core.explain import Explanation, moment_differences
from mfcc_assets.core.parameters import CepstraParameters
from mfcc_assets.core.tags import clean_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

_STANDARD = CepstraParameters()
_COEFFICIENT_NAMES = [f"COE_{number}" for number in range(1, _STANDARD.coefficients + 1)]
_INCHES = (9, 3)
_SQUARE_INCHES = (8, 8)
_MAP_INCHES = (11, 7)
_DOTS_PER_INCH = 100
# A column for each pixel of the axes: more cannot be seen.
_COLUMNS = 800
# Three pixels each: at one, a matrix looks like noise, and its PNG takes four times as long to compress.
_MATRIX_BLOCKS = 204
# A kernel density costs rows × points; 4,000 rows give the same curve as 400,000.
_DENSITY_ROWS = 4_000
# Of 9. With 6 a picture of a pair takes 14 ms longer, and is a twentieth smaller.
_PNG_LEVEL = 1
_TITLE_LETTERS = 100
_COLOURS = (
    "#4c78a8",
    "#f58518",
    "#54a24b",
    "#e45756",
    "#72b7b2",
    "#eeca3b",
    "#b279a2",
    "#9d755d",
    "#ff9da6",
    "#2f4b6b",
)
MOST_LABELS = len(_COLOURS)
"""As many labels of a map have a colour of their own."""

_STRETCH_COLOURS = ("#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#a6761d")
_NAME_LETTERS = 28
_POINTS_NAMED = 10


def heat_map(cepstra: npt.NDArray[np.floating], title: str) -> bytes:
    """Plot the cepstra of one track over time.

    Parameters
    ----------
    cepstra
        Shape (frames, 13), 100 frames a second.
    title
        Written as it is: no mathtext.

    Returns
    -------
    bytes
        A PNG of 900 × 300 pixels. Colours span the middle 98 % of the values, around 0.

    Raises
    ------
    ValueError
        `cepstra` is of another shape, empty, or not finite.
    """
    _require_coefficients(cepstra)
    figure, axes = _figure_with_axes(title, width=0.86)
    means = _block_means(cepstra, _COLUMNS)
    limit = float(np.percentile(np.abs(means), 98)) or 1.0
    image = axes.imshow(
        means.T,
        aspect="auto",
        interpolation="nearest",
        origin="lower",
        extent=(0, len(cepstra) * _STANDARD.step_seconds, 0.5, cepstra.shape[1] + 0.5),
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
    )
    axes.set_yticks(range(1, cepstra.shape[1] + 1), _COEFFICIENT_NAMES)
    axes.set_xlabel("seconds")
    figure.colorbar(image, cax=figure.add_axes((0.945, 0.17, 0.012, 0.71)), extend="both")
    return _drawn(figure, "png")


def coefficient_distributions(samples: npt.NDArray[np.floating], title: str) -> bytes:
    """Plot how each coefficient is distributed over a library, as violins with median and quartiles.

    Parameters
    ----------
    samples
        Shape (n, 13): cepstra of many tracks, or their means. Of many rows, evenly spaced ones are used.
    title
        Written as it is: no mathtext.

    Returns
    -------
    bytes
        A PNG of 900 × 300 pixels.

    Raises
    ------
    ValueError
        `samples` is of another shape, empty, or not finite.
    """
    _require_coefficients(samples)
    figure, axes = _figure_with_axes(title, width=0.91)
    rows = np.linspace(0, len(samples) - 1, min(len(samples), _DENSITY_ROWS)).astype(int)
    shown = samples[rows].astype(np.float64)
    violins: dict[str, Any] = axes.violinplot(
        shown,
        widths=0.85,
        showextrema=False,
        showmedians=True,
        quantiles=[[0.25, 0.75]] * shown.shape[1],
    )
    for body in violins["bodies"]:
        body.set(facecolor="#4c78a8", edgecolor="#2f4b6b", alpha=0.75)
    violins["cmedians"].set(color="#111111", linewidth=2)
    violins["cquantiles"].set(color="#2f4b6b", linewidth=1)
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    axes.set_xticks(range(1, shown.shape[1] + 1), _COEFFICIENT_NAMES)
    axes.set_xlim(0.4, shown.shape[1] + 0.6)
    return _drawn(figure, "png")


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
    from mfcc_assets.core.panels import Panel, round_numbers

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


_SHOWN_DEVIATIONS = (-2.5, 2.5)


def _require_coefficients(values: npt.NDArray[np.floating]) -> None:
    coefficients = len(_COEFFICIENT_NAMES)
    if values.ndim != 2 or values.shape[1] != coefficients or not len(values):
        raise ValueError(f"a plot of cepstra takes shape (n, {coefficients}), n > 0, not {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a plot of cepstra takes finite values only")


def _figure(inches: tuple[float, float]) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    return figure


def _figure_with_axes(title: str, width: float) -> tuple["Figure", "Axes"]:
    figure = _figure(_INCHES)
    # Placed by hand: a layout engine draws everything twice.
    axes = figure.add_axes((0.075, 0.17, width, 0.71))
    axes.tick_params(labelsize=8)
    axes.set_title(_drawable(title), fontsize=10, loc="left", parse_math=False)
    return figure, axes


def _drawable(title: str) -> str:
    """The title with a box for each letter that the font lacks, where matplotlib would draw a box and warn."""
    shortened = title if len(title := clean_text(title)) <= _TITLE_LETTERS else title[: _TITLE_LETTERS - 1] + "…"
    return "".join(letter if ord(letter) in _glyphs() else "□" for letter in shortened)


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def _block_means(values: npt.NDArray[np.floating], blocks: int) -> npt.NDArray[np.float64]:
    """Means of equally long blocks of rows, or the rows themselves where they are fewer."""
    edges = np.linspace(0, len(values), min(len(values), blocks) + 1).astype(int)
    means: npt.NDArray[np.float64] = np.add.reduceat(values, edges[:-1], axis=0, dtype=np.float64)
    return means / np.diff(edges)[:, np.newaxis]


def _drawn(figure: "Figure", form: Literal["png", "svg"]) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    buffer = io.BytesIO()
    if form == "png":
        canvas: Any = FigureCanvasAgg(figure)  # matplotlib leaves its methods untyped
        canvas.draw()
        # Opacity says nothing here, and to compress it takes a fifth longer.
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
        Image.fromarray(pixels).save(buffer, format="png", compress_level=_PNG_LEVEL)
    else:
        # With a salt of its own and without the date the same picture is the same bytes.
        with rc_context({"svg.hashsalt": "mfcc_assets"}):
            figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
