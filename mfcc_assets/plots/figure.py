"""Helpers of all plots: figures, titles, colours, and writing a figure as PNG or SVG.

Figures are made without pyplot. Its state is global, and these functions must be safe to call from any thread.
matplotlib is imported when the first figure is made, because its import is slow.
"""

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.tags import clean_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ImageFormat: TypeAlias = Literal["png", "svg"]

COLOURS = (
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
"""Colours of lines and groups, in the order in which they are used."""

PLOT_COLUMNS = 800
"""Number of columns of a plot over time. Its axes have about as many pixels, so more columns could not be seen."""

AXES_LEFT, AXES_BOTTOM, AXES_HEIGHT = 0.075, 0.17, 0.71
"""Position of the axes in a wide figure, as shares of the figure."""

_WIDE_INCHES = (9, 3)
_DOTS_PER_INCH = 100
_TITLE_LETTERS = 100

# Levels 2 to 9 take much more time, and the files are hardly smaller.
_PNG_LEVEL = 1


def new_figure(inches: tuple[float, float]) -> "Figure":
    """Return an empty figure of this width and height, with 100 pixels per inch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=_DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    return figure


def wide_figure(title: str, width: float) -> tuple["Figure", "Axes"]:
    """Return a figure of 900 × 300 pixels with a title and one pair of axes.

    Parameters
    ----------
    title
        Title. It is drawn literally: a dollar sign does not start a formula.
    width
        Width of the axes, as a share of the figure.
    """
    figure = new_figure(_WIDE_INCHES)
    # Axes have a fixed place, because a layout engine would draw everything twice.
    axes = figure.add_axes((AXES_LEFT, AXES_BOTTOM, width, AXES_HEIGHT))
    axes.tick_params(labelsize=8)
    axes.set_title(drawable(title), fontsize=10, loc="left", parse_math=False)
    return figure, axes


def drawable(title: str) -> str:
    """Shorten a title, and replace each letter that the font lacks by a box.

    matplotlib would draw the same box, but also emit a warning.
    """
    shortened = shorten(clean_text(title), _TITLE_LETTERS)
    return "".join(letter if ord(letter) in _letters_of_font() else "□" for letter in shortened)


def shorten(text: str, letters: int) -> str:
    """Cut a text to at most this many letters; the last one is then "…"."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def block_means(values: NDArray[np.floating], blocks: int) -> NDArray[np.float64]:
    """Average the rows of `values` (n, d) in blocks of equal length.

    Returns
    -------
    (min(n, blocks), d)
        If there are no more rows than blocks, the rows themselves.
    """
    edges = block_edges(len(values), blocks)
    sums: NDArray[np.float64] = np.add.reduceat(values, edges[:-1], axis=0, dtype=np.float64)
    return sums / np.diff(edges)[:, np.newaxis]


def block_edges(count: int, blocks: int) -> NDArray[np.intp]:
    """Return where each of at most `blocks` equal blocks of `count` rows begins, and the end of the last one."""
    return np.linspace(0, count, min(count, blocks) + 1).astype(np.intp)


def write_figure(figure: "Figure", form: ImageFormat = "png") -> bytes:
    """Draw a figure and return the bytes of the image. The same figure always gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    buffer = io.BytesIO()
    if form == "png":
        canvas: Any = FigureCanvasAgg(figure)  # matplotlib's canvas has no types
        canvas.draw()
        # Every pixel is opaque, and without the opacity there is less to compress.
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
        Image.fromarray(pixels).save(buffer, format="png", compress_level=_PNG_LEVEL)
    else:
        # By default an SVG contains random ids and the date.
        with rc_context({"svg.hashsalt": "mfcc_assets"}):
            figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def thumbnail(picture: bytes, width: int) -> bytes:
    """Return a PNG as a PNG of at most this many pixels in width."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        image.thumbnail((width, image.height), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, format="png")
    return buffer.getvalue()


@lru_cache(maxsize=1)
def _letters_of_font() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())
