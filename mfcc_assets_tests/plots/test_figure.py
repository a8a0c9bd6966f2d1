"""The helpers that all plots share."""

import numpy as np
import pytest

from mfcc_assets.plots.figure import block_means, drawable, new_figure, shorten, thumbnail, write_figure
from mfcc_assets_tests.plots.pictures import pixels


def test_a_figure_has_100_pixels_per_inch() -> None:
    assert pixels(write_figure(new_figure((3, 2)))).shape == (200, 300, 3)


def test_an_svg_of_the_same_figure_is_the_same_each_time() -> None:
    def svg() -> bytes:
        figure = new_figure((3, 2))
        figure.add_axes((0.1, 0.1, 0.8, 0.8)).plot([0, 1])
        return write_figure(figure, "svg")

    assert svg() == svg()


def test_letters_that_the_font_lacks_become_boxes() -> None:
    assert drawable("Tōkyō 東京 🎷") == "Tōkyō □□ □"


@pytest.mark.parametrize(("text", "shown"), [("abcde", "abcde"), ("abcdef", "abcd…")])
def test_a_long_text_is_shortened(text: str, shown: str) -> None:
    assert shorten(text, 5) == shown


def test_the_means_of_equal_blocks_are_those_of_their_rows() -> None:
    values = np.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(block_means(values, 3), [[1, 2], [5, 6], [9, 10]])


def test_rows_that_are_fewer_than_the_blocks_stay_as_they_are() -> None:
    values = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(block_means(values, 800), values)


def test_a_thumbnail_is_narrower_and_never_wider_than_the_picture() -> None:
    picture = write_figure(new_figure((9, 3)))
    assert pixels(thumbnail(picture, 300)).shape == (100, 300, 3)
    assert pixels(thumbnail(picture, 2_000)).shape == (300, 900, 3)
