"""Plots of cepstra and of what is made of them: arrays in, the bytes of a PNG or SVG out.

Figures are made without pyplot, whose state is global, so that any thread may draw.
"""

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from mfcc_assets.audio.tags import clean_text
from mfcc_assets.features.parameters import CepstraParameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_STANDARD = CepstraParameters()
_COEFFICIENT_NAMES = [f"COE_{number}" for number in range(1, _STANDARD.coefficients + 1)]
_INCHES = (9, 3)
_SQUARE_INCHES = (8, 8)
_MAP_INCHES = (11, 7)
_DOTS_PER_INCH = 100

# A column for each pixel of the axes: more cannot be seen.
_COLUMNS = 800

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
