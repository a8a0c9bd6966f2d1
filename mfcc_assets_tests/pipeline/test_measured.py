"""Figures that are measured once for a calibration."""

import numpy as np
import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.measured import measured_with_calibration
from mfcc_assets_tests.ranked_library import add_tracks, index_and_rank, publish


def figures(library: Library, index, value: float) -> float:
    measured = measured_with_calibration(library, index, "figure.npz", lambda: {"figure": np.array([value])})
    return float(measured["figure"][0])


@pytest.mark.parametrize("keeps_calibration", [True, False])
def test_an_index_with_the_same_calibration_takes_them_over(library: Library, monkeypatch, keeps_calibration) -> None:
    if keeps_calibration:
        monkeypatch.setattr("mfcc_assets.pipeline.index.SMALL_LIBRARY", 0)
    add_tracks(library, *range(8))
    first, _ = publish(library)
    assert figures(library, first, 1.0) == 1.0
    assert figures(library, first, 2.0) == 1.0, "they are stored"
    add_tracks(library, 8)
    index, _ = index_and_rank(library)
    assert figures(library, index, 3.0) == (1.0 if keeps_calibration else 3.0)
