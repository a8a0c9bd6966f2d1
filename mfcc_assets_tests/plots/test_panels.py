import io
import xml.etree.ElementTree as ET

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mfcc_assets.plots.panels import Panel, round_numbers


def panel_of_100_pixels() -> tuple[Figure, Panel]:
    """A panel from 0 to 10 that fills a figure of 100 × 100 pixels."""
    figure = Figure(figsize=(1, 1), dpi=100)
    return figure, Panel(figure, (0, 1), (0, 1), x=(0, 10), y=(0, 10))


def pixels(figure: Figure) -> npt.NDArray[np.uint8]:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def test_a_raster_fills_its_panel_with_the_first_row_at_the_bottom() -> None:
    figure, panel = panel_of_100_pixels()
    panel.raster(np.array([[0.0, 1.0], [0.0, 0.0], [0.5, 0.5], [1.0, 0.0]]), "Greys_r", (0, 1))
    shown = pixels(figure)
    assert shown[[5, 95], 25].mean(axis=1).tolist() == [255, 0]
    assert shown[[5, 95], 75].mean(axis=1).tolist() == [0, 255]
    # Edges are sharp: nothing lies between the rows of the matrix.
    assert len(np.unique(shown)) == 3


def test_a_panel_leaves_the_rest_of_the_figure_alone() -> None:
    figure = Figure(figsize=(1, 1), dpi=100)
    Panel(figure, (0.25, 0.75), (0, 0.5), x=(0, 1), y=(0, 1)).raster(np.zeros((3, 3)), "Greys_r", (0, 1))
    black = pixels(figure).max(axis=2) == 0
    assert black[50:, 25:75].all()
    assert black.sum() == 50 * 50


def test_a_line_goes_through_the_places_that_the_scales_say() -> None:
    figure, panel = panel_of_100_pixels()
    panel.line([0, 10], [7.5, 7.5], color="#000000", linewidth=2)
    dark = pixels(figure).max(axis=2) < 128
    assert dark[23:28].any(axis=0).all()
    assert not dark[:20].any()
    assert not dark[30:].any()


def test_an_svg_holds_the_matrix_itself_and_not_its_enlargement() -> None:
    figure, panel = panel_of_100_pixels()
    panel.raster(np.random.default_rng(0).normal(size=(4, 6)), "Greys_r", (-1, 1))
    written = io.BytesIO()
    figure.savefig(written, format="svg")
    (image,) = ET.fromstring(written.getvalue()).iter("{http://www.w3.org/2000/svg}image")
    assert (image.get("width"), image.get("height")) == ("6", "4")


@pytest.mark.parametrize("side", ["left", "right", "bottom", "top"])
def test_ticks_are_drawn_outside_of_the_panel_on_their_side(side: str) -> None:
    figure = Figure(figsize=(1, 1), dpi=100)
    panel = Panel(figure, (0.3, 0.7), (0.3, 0.7), x=(0, 10), y=(0, 10))
    panel.ticks(side, [0, 5, 10])  # type: ignore[arg-type]
    rows, columns = np.nonzero(pixels(figure).max(axis=2) < 200)
    outside = {"left": columns < 31, "right": columns > 69, "bottom": rows > 69, "top": rows < 31}
    assert len(rows) > 30
    assert outside[side].all()


@given(st.floats(0.01, 20_000), st.integers(3, 12))
def test_round_numbers_are_evenly_spaced_from_zero_and_no_more_than_wanted(highest: float, most: int) -> None:
    numbers = round_numbers(highest, most=most)
    assert numbers[0] == 0
    assert 2 <= len(numbers) <= most
    assert numbers[-1] <= highest
    np.testing.assert_allclose(np.diff(numbers), numbers[1])
