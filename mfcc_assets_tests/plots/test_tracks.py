import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.plots.history import history
from mfcc_assets.plots.library_map import MOST_LABELS, library_map
from mfcc_assets.plots.pair import pair_picture
from mfcc_assets.plots.tracks import _COLOURS, coefficient_distributions, heat_map
from mfcc_assets.similarity.explain import RandomPairs, explain

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


TITLES = ["", "$5 for $x_1", r"$\frac{", "東京の夜 🎷 👩‍👩‍👧", "two\nlines\x00", "long " * 100]


@pytest.mark.parametrize("plot", PLOTS)
@pytest.mark.parametrize("title", TITLES)
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


def picture_of(frames: tuple[int, int], titles: tuple[str, str] = ("Ocean", "River"), form: str = "png") -> bytes:
    a, b = (cepstra(count, count) for count in frames)
    scales = np.full(13, 20.0)
    control = RandomPairs.of([(a, b)], scales)
    seconds = frames[0] / 2, frames[1] / 2
    why = explain(a, b, scales, control, seconds=seconds, parameters=CepstraParameters())
    return pair_picture((a, b), scales, why, seconds, titles, form)  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", [(1, 1), (2, 400), (60, 50)])
def test_a_pair_is_drawn_as_a_png_of_800_by_800_pixels(frames: tuple[int, int]) -> None:
    png = picture_of(frames)
    assert pixels(png).shape == (800, 800, 3)
    assert len(png) < 500_000


def test_a_pair_is_drawn_as_an_svg_that_is_the_same_each_time() -> None:
    svg = picture_of((60, 50), form="svg")
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert picture_of((60, 50), form="svg") == svg


@pytest.mark.parametrize("title", TITLES)
def test_a_pair_of_any_titles_is_drawn_without_a_warning(title: str) -> None:
    assert pixels(picture_of((20, 30), (title, title))).shape == (800, 800, 3)


def test_the_path_of_a_track_and_itself_is_drawn_along_the_diagonal() -> None:
    png = picture_of((60, 60))
    red, green, blue = pixels(png).astype(int).transpose(2, 0, 1)
    rows, columns = np.nonzero((red > 200) & (green < 110) & (blue < 110))
    inside = (columns > 155) & (rows < 653)
    assert inside.sum() > 500
    np.testing.assert_allclose((rows + columns)[inside], np.median((rows + columns)[inside]), atol=12)


def colours_of(png: bytes) -> int:
    """How many of a map's colours there are; the edges of points are mixed of two."""
    drawn = {tuple(colour) for colour in pixels(png).reshape(-1, 3).tolist()}
    return sum(tuple(bytes.fromhex(colour[1:])) in drawn for colour in _COLOURS)


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_a_map_is_a_png_of_1100_by_700_pixels(count: int) -> None:
    points = np.random.default_rng(0).normal(size=(count, 2))
    labels = [f"artist {row % 14}" if row % 5 else "" for row in range(count)]
    names = {row: f"track {row}" for row in range(min(count, 9))}
    assert pixels(library_map(points, labels, names, "A library")).shape == (700, 1100, 3)


@pytest.mark.parametrize("title", TITLES)
def test_a_map_takes_any_names_without_a_warning(title: str) -> None:
    points = np.random.default_rng(0).normal(size=(20, 2))
    assert pixels(library_map(points, [title] * 20, {0: title}, title)).shape == (700, 1100, 3)


def test_only_the_most_frequent_labels_of_a_map_have_a_colour() -> None:
    points = np.random.default_rng(0).normal(size=(400, 2))
    few = library_map(points, [str(row % 2) for row in range(400)], {}, "x")
    many = library_map(points, [str(row % 40) for row in range(400)], {}, "x")
    assert (colours_of(few), colours_of(many)) == (2, MOST_LABELS)


def test_names_on_a_map_do_not_cover_each_other() -> None:
    points = np.array([[0.0, 0.0], [0.01, 0.01], [5.0, 5.0], [9.0, -9.0]])
    one = library_map(points, [""] * 4, {0: "a long name"}, "x")
    both = library_map(points, [""] * 4, {0: "a long name", 1: "another name"}, "x")
    assert one == both


@pytest.mark.parametrize("count", [1, 2, 45])
def test_a_history_is_drawn_however_long_it_is(count: int) -> None:
    png = history([f"{number:06x}" for number in range(count)], {"precision": [0.5] * count}, "Quality")
    assert pixels(png).shape == (300, 900, 3)


def test_what_is_not_known_leaves_a_gap_in_the_history() -> None:
    points = ["a", "b", "c"]
    whole = history(points, {"precision": [0.5, 0.5, 0.5]}, "")
    gap = history(points, {"precision": [0.5, None, 0.5]}, "")
    assert (pixels(whole) != 255).any(axis=2).sum() > (pixels(gap) != 255).any(axis=2).sum()
    history(points, {"precision": [None, None, None]}, "")
