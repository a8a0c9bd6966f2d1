"""Pictures and figures of an index are computed once."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.library import Library


def test_a_picture_of_an_index_is_drawn_once(library: Library) -> None:
    pictures = iter([b"first", b"second", b"third"])
    drawn = [library.indexes.drawn_once(version, "map.png", lambda: next(pictures)) for version in ("v1", "v1", "v2")]
    assert drawn == [b"first", b"first", b"second"]


def test_figures_of_an_index_are_measured_once(library: Library) -> None:
    measurements = iter(range(3))

    def measure() -> dict[str, NDArray[np.int64]]:
        return {"one": np.array([next(measurements)]), "other": np.ones((2, 3), np.int64)}

    measured = [library.indexes.measured_once(version, "usual.npz", measure) for version in ("v1", "v1", "v2")]
    assert [arrays["one"].tolist() for arrays in measured] == [[0], [0], [1]]
    np.testing.assert_array_equal(measured[1]["other"], np.ones((2, 3)))


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda _: b"damaged", lambda kept: kept[:-30], lambda kept: kept[30:]]
)
def test_damaged_figures_are_measured_again(library: Library, damage: Callable[[bytes], bytes]) -> None:
    def measure() -> dict[str, NDArray[np.float64]]:
        return {"one": np.arange(5.0)}

    library.indexes.measured_once("v1", "usual.npz", measure)
    kept = library.indexes.read_attachment("v1", "usual.npz")
    library.indexes.write_attachment("v1", "usual.npz", damage(kept or b""))
    for _ in range(2):
        assert library.indexes.measured_once("v1", "usual.npz", measure)["one"].tolist() == [0, 1, 2, 3, 4]
