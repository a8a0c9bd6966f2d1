"""How near the tracks of a library are, in a listener's words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.library import Library
from mfcc_assets.pipeline.measured import measured_with_calibration
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.nearness import Nearness, PairDistances


def pair_distances_of(library: Library, index: LibraryIndex) -> PairDistances:
    """Return the distances of random pairs of an index. They are measured once for each calibration."""

    def measure() -> Mapping[str, NDArray[np.float64]]:
        return {"distances": PairDistances.within(index.calibration.reference, on_all_cores).distances}

    return PairDistances(**measured_with_calibration(library, index, "pair_distances.npz", measure))


def with_nearness(library: Library, rows: Sequence[Mapping[str, Any]], index_version: str) -> list[dict[str, Any]]:
    """Return the rows of a stored list, each with the members of `nearness_record`.

    Parameters
    ----------
    library
        The library.
    rows
        Rows with a ``distance``.
    index_version
        The index that the distances are from. If another one is published, the nearness is not known, because the
        distances of one index cannot be compared with the pairs of another.
    """
    index = library.indexes.published_if_usable()
    pairs = pair_distances_of(library, index) if index is not None and index.version == index_version else None
    return [{**row, **nearness_record(pairs.nearness(row["distance"]) if pairs else None)} for row in rows]


def nearness_record(nearness: Nearness | None) -> dict[str, float | str | None]:
    """Return the nearness of a pair as members of a JSON object, ``closer_than`` and ``nearness``."""
    return {
        "closer_than": None if nearness is None else nearness.closer_than,
        "nearness": None if nearness is None else nearness.word,
    }
