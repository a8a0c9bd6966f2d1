"""The picture of a pair of tracks."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mfcc_assets.features.contour import ContourTimes
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.plots.figure import ImageFormat
from mfcc_assets.plots.pair import pair_picture, pair_picture_without_words
from mfcc_assets.similarity.explain import Explanation, RandomPairs, explain
from mfcc_assets_tests.plots.pictures import HARD_TITLES, cepstra, pixels

SCALES = np.full(13, 20.0)


def times(frames: int) -> ContourTimes:
    return ContourTimes.even(frames, frames / 2)


def explained(a: NDArray[np.float32], b: NDArray[np.float32]) -> Explanation:
    """Explain two contours of 2 frames per second."""
    control = RandomPairs.of([(a, b)], SCALES)
    return explain(a, b, SCALES, control, times=(times(len(a)), times(len(b))), parameters=CepstraParameters())


def picture_of(
    frames: tuple[int, int], titles: tuple[str, str] = ("Ocean", "River"), form: ImageFormat = "png"
) -> bytes:
    a, b = (cepstra(count, count) for count in frames)
    return pair_picture((a, b), SCALES, explained(a, b), (times(frames[0]), times(frames[1])), titles, form)


@pytest.mark.parametrize("frames", [(1, 1), (2, 400), (60, 50)])
def test_a_pair_is_drawn_as_a_png_of_800_by_800_pixels(frames: tuple[int, int]) -> None:
    png = picture_of(frames)
    assert pixels(png).shape == (800, 800, 3)
    assert len(png) < 500_000


def test_a_pair_is_drawn_as_an_svg_that_is_the_same_each_time() -> None:
    svg = picture_of((60, 50), form="svg")
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert picture_of((60, 50), form="svg") == svg


@pytest.mark.parametrize("title", HARD_TITLES)
def test_a_pair_of_any_titles_is_drawn_without_a_warning(title: str) -> None:
    assert pixels(picture_of((20, 30), (title, title))).shape == (800, 800, 3)


def test_the_path_of_a_track_and_itself_is_drawn_along_the_diagonal() -> None:
    png = picture_of((60, 60))
    red, green, blue = pixels(png).astype(int).transpose(2, 0, 1)
    rows, columns = np.nonzero((red > 200) & (green < 110) & (blue < 110))
    inside = (columns > 155) & (rows < 653)
    assert inside.sum() > 500
    np.testing.assert_allclose((rows + columns)[inside], np.median((rows + columns)[inside]), atol=12)


def test_alike_moments_are_dark_and_others_are_bright() -> None:
    # The second half of the track differs from the first.
    track = np.repeat([[-30.0] * 13, [30.0] * 13], 30, axis=0).astype(np.float32)
    drawn = pixels(pair_picture((track, track), SCALES, explained(track, track), (times(60), times(60)), ("a", "b")))
    first_half_of_both, second_half_of_one = drawn[600, [300, 700]].max(axis=1).tolist()
    assert (first_half_of_both, second_half_of_one) == (0, 255)


def test_an_svg_holds_the_matrix_itself_and_not_its_enlargement() -> None:
    svg = picture_of((60, 50), form="svg")
    images = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}image")
    assert {(image.get("width"), image.get("height")) for image in images} == {("60", "50"), ("60", "13"), ("13", "50")}


def test_seconds_and_coefficients_are_marked_at_the_outer_edges() -> None:
    svg = picture_of((60, 50), form="svg").decode()
    said = "By dynamic time warping alone: closer than 0.0% of random pairs of the library"
    for text in ("Ocean, seconds", "River, seconds", said):
        assert f"<!-- {text} -->" in svg
    labels = re.findall("<!-- ([0-9]+) -->", svg)
    assert Counter(labels) >= Counter({"1": 2, "13": 2, "0": 2, "20": 2})


def test_a_picture_without_words_shows_the_same_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (cepstra(count, count) for count in (60, 50))
    written: list[str] = []
    write = Figure.text

    def noted(figure: Figure, x: float, y: float, text: str, **options: Any) -> Any:
        written.append(text)
        return write(figure, x, y, text, **options)

    monkeypatch.setattr(Figure, "text", noted)
    png = pair_picture_without_words((a, b), SCALES, explained(a, b), (times(60), times(50)))

    assert set(written) == {"s"}
    matrix = (slice(60, 650), slice(160, 760))
    np.testing.assert_array_equal(pixels(png)[matrix], pixels(picture_of((60, 50)))[matrix])
