"""Figures of an index that its calibration decides, so that one more track does not measure them again."""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from mfcc_assets.library import Library
from mfcc_assets.search.index import LibraryIndex


def measured_with_calibration(
    library: Library, index: LibraryIndex, name: str, measure: Callable[[], Mapping[str, NDArray[Any]]]
) -> Mapping[str, NDArray[Any]]:
    """Return arrays by name that are measured once for a calibration, and stored with each index.

    Parameters
    ----------
    library, index
        The library and the index. If the published index has the same calibration, its arrays are taken over.
    name
        Name of the file.
    measure
        Measures the arrays.
    """

    def taken_over() -> Mapping[str, NDArray[Any]]:
        published = library.indexes.published_if_usable()
        if published is None or published.version == index.version or not published.is_calibrated_as(index):
            return measure()
        return library.indexes.measured_once(published.version, name, measure)

    return library.indexes.measured_once(index.version, name, taken_over)
