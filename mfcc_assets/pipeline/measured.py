"""Figures of an index that its calibration decides, so that one more track does not measure them again."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from mfcc_assets.library import Library
from mfcc_assets.search.index import LibraryIndex, made_with


def measured_with_calibration(
    library: Library, index: LibraryIndex, name: str, measure: Callable[[], Mapping[str, NDArray[Any]]]
) -> Mapping[str, NDArray[Any]]:
    """Return arrays by name that are measured once for a calibration, and stored with it.

    Parameters
    ----------
    library, index
        The library and the index.
    name
        Name of the file.
    measure
        Measures the arrays.
    """
    # A version of the program with other parameters does not take these figures for its own.
    made = made_with(index.parameters, index.calibrated_as)
    return library.figures.measured_once(index.calibrated_as, f"{made}-{name}", measure)
