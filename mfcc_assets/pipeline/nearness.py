"""How near the tracks of a library are, in a listener's words."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.library import Library
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.nearness import Nearness, PairDistances


def pair_distances_of(library: Library, index: LibraryIndex) -> PairDistances:
    """Return the distances of random pairs of an index. They are measured once for each index, and stored with it."""

    def measure() -> Mapping[str, NDArray[np.float64]]:
        return {"distances": PairDistances.within(index.calibration.reference, on_all_cores).distances}

    return PairDistances(**library.indexes.measured_once(index.version, "pair_distances.npz", measure))


def nearness_record(nearness: Nearness | None) -> dict[str, float | str | None]:
    """Return the nearness of a pair as members of a JSON object, ``closer_than`` and ``nearness``."""
    return {
        "closer_than": None if nearness is None else nearness.closer_than,
        "nearness": None if nearness is None else nearness.word,
    }
