import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mfcc_assets.core.plots import coefficient_distributions, heat_map

Plot = Callable[[npt.NDArray[np.floating], str], bytes]

PLOTS = [heat_map, coefficient_distributions]


def cepstra(frames: int, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(scale=20, size=(frames, 13)).astype(np.float32)


def pixels(png: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_is_a_png_of_900_by_300_pixels(plot: Plot) -> None:
    png = plot(cepstra(500), "Ocean")
    assert pixels(png).shape == (300, 900, 3)
    assert len(png) < 150_000


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize(
    "title", ["", "$5 for $x_1", r"$\frac{", "東京の夜 🎷 👩‍👩‍👧", "two\nlines\x00", "long " * 100]
)
def test_any_title_is_drawn_without_a_warning(plot: Plot, title: str) -> None:
    assert pixels(plot(cepstra(20), title)).shape == (300, 900, 3)


def test_a_dollar_in_a_title_starts_no_formula() -> None:
    as_formula, as_text = heat_map(cepstra(20), "x_1"), heat_map(cepstra(20), "$x_1$")
    assert (pixels(as_formula) != pixels(as_text)).any()
    # Set as a formula, the second would have no dollar signs and end further left than the first does.
    assert title_width(as_text) > title_width(as_formula)


def title_width(png: bytes) -> int:
    columns = np.nonzero((pixels(png)[:34] < 128).all(axis=2).any(axis=0))[0]
    return int(columns.max() - columns.min())


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("values", [np.zeros((1, 13)), np.zeros((50, 13)), np.full((3, 13), -7.0), cepstra(2)])
def test_silence_and_a_single_frame_can_be_plotted(plot: Plot, values: npt.NDArray[np.float64]) -> None:
    assert pixels(plot(values, "x")).shape == (300, 900, 3)


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize(
    "values", [np.zeros((0, 13)), np.zeros((5, 12)), np.zeros(13), np.full((5, 13), np.nan), np.full((5, 13), np.inf)]
)
def test_what_is_no_finite_cepstra_is_refused(plot: Plot, values: npt.NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="a plot of cepstra takes"):
        plot(values, "x")


def test_an_outlier_does_not_wash_out_the_heat_map() -> None:
    values = cepstra(500)
    pierced = values.copy()
    pierced[100, 5] = 1e6
    difference = np.abs(pixels(heat_map(values, "x")).astype(int) - pixels(heat_map(pierced, "x")))
    inside = difference[40:245, 75:835]
    assert (inside.max(axis=2) > 32).mean() < 0.01


def test_a_long_track_shows_the_means_of_its_blocks() -> None:
    high_then_low = np.repeat([[30.0] * 13, [-30.0] * 13], 40_000, axis=0)
    red, _, blue = pixels(heat_map(high_then_low, "x"))[140, [200, 700]].astype(int).T
    assert red[0] > blue[0]
    assert blue[1] > red[1]


def test_the_distributions_do_not_depend_on_how_often_each_row_is_repeated() -> None:
    few = np.sort(cepstra(4_000), axis=0)
    thinned = np.abs(
        pixels(coefficient_distributions(few, "x")).astype(int)
        - pixels(coefficient_distributions(np.repeat(few, 20, axis=0), "x"))
    )
    assert (thinned.max(axis=2) > 32).mean() < 0.01


def test_threads_draw_the_same_as_one() -> None:
    tracks = [cepstra(300, seed) for seed in range(4)]
    alone = [heat_map(track, "thread") for track in tracks]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(heat_map, tracks, ["thread"] * len(tracks)))
    assert together == alone
