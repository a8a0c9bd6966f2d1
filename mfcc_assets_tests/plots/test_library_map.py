"""The map of a library."""

import numpy as np
import pytest

from mfcc_assets.plots.figure import COLOURS
from mfcc_assets.plots.library_map import MOST_LABELS, library_map
from mfcc_assets_tests.plots.pictures import HARD_TITLES, pixels


def colours_of(png: bytes) -> int:
    """Return how many colours of labels occur in a map. Pixels at the edge of a point are mixtures and do not count."""
    drawn = {tuple(colour) for colour in pixels(png).reshape(-1, 3).tolist()}
    return sum(tuple(bytes.fromhex(colour[1:])) in drawn for colour in COLOURS)


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_a_map_is_a_png_of_1100_by_700_pixels(count: int) -> None:
    points = np.random.default_rng(0).normal(size=(count, 2))
    labels = [f"artist {row % 14}" if row % 5 else "" for row in range(count)]
    names = {row: f"track {row}" for row in range(min(count, 9))}
    assert pixels(library_map(points, labels, names, "A library")).shape == (700, 1100, 3)


@pytest.mark.parametrize("title", HARD_TITLES)
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


def test_the_colours_of_the_key_can_be_told_apart_on_a_map_of_many_tracks() -> None:
    points = np.random.default_rng(0).normal(size=(2_800, 2))
    drawn = pixels(library_map(points, ["artist"] * 2_800, {}, "x"))
    key = (drawn[:, 830:870] == tuple(bytes.fromhex(COLOURS[0][1:]))).all(axis=2)
    assert key.sum() > 30
