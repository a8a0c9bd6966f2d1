"""Figures that are stored for a calibration."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.calibration_figures import CalibrationFigures


@pytest.fixture
def figures(local_blobs: LocalBlobs) -> CalibrationFigures:
    return CalibrationFigures(local_blobs)


def arrays() -> dict[str, NDArray[np.float64]]:
    return {"one": np.arange(5.0)}


def test_figures_of_a_calibration_are_measured_once(figures):
    measurements = iter(range(3))

    def measure() -> dict[str, NDArray[np.int64]]:
        return {"one": np.array([next(measurements)]), "other": np.ones((2, 3), np.int64)}

    measured = [figures.measured_once(calibration, "usual.npz", measure) for calibration in ("c1", "c1", "c2")]
    assert [found["one"].tolist() for found in measured] == [[0], [0], [1]]
    np.testing.assert_array_equal(measured[1]["other"], np.ones((2, 3)))


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda _: b"damaged", lambda kept: kept[:-30], lambda kept: kept[30:]]
)
def test_damaged_figures_are_measured_again(figures, local_blobs, damage):
    figures.measured_once("c1", "usual.npz", arrays)
    [stored] = [blob.name for blob in local_blobs.list("cepstra")]
    local_blobs.write("cepstra", stored, damage(local_blobs.read("cepstra", stored)))
    for _ in range(2):
        assert figures.measured_once("c1", "usual.npz", arrays)["one"].tolist() == [0, 1, 2, 3, 4]
    assert figures.measured_once("c1", "usual.npz", pytest.fail)["one"].tolist() == [0, 1, 2, 3, 4]


def test_figures_are_deleted_with_their_calibration(figures):
    for calibration in ("c1", "c2"):
        figures.measured_once(calibration, "usual.npz", arrays)
    figures.delete_unused(["c2", "c3"])
    assert figures.measured_once("c2", "usual.npz", pytest.fail)
    assert figures.measured_once("c1", "usual.npz", lambda: {"one": np.zeros(1)})["one"].tolist() == [0]
