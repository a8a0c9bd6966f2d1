"""Bins of equal cost, so that no core of a cluster waits for another one at the end, and the jobs that have them."""

from collections.abc import Iterator
from math import ceil

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BIN = "bin"
"""Column with the number of an item's bin within its job."""

JOBS_AT_ONCE = 4
"""Number of jobs that run at once. Together they have two bins for each slot."""

_BINS_A_SLOT = 4
"""Number of bins for each slot. With more of them, the slots end at about the same time, but each costs some time."""


def equal_bins(costs: NDArray[np.float64], count: int) -> list[slice]:
    """Cut items into consecutive bins of about equal cost.

    Parameters
    ----------
    costs : (items,)
        Cost of each item, not negative.
    count
        Largest number of bins.

    Returns
    -------
    list of slice
        The bins. None is empty. An item that costs more than a bin may share its bin with a few others. One that costs
        more than two bins has a bin of its own.

    Examples
    --------
    >>> equal_bins(np.array([4.0, 1, 1, 1, 1]), 2)
    [slice(0, 1, None), slice(1, 5, None)]
    """
    if not len(costs):
        return []
    # Items without any cost still take some time.
    weights = costs + max(1e-9, costs.sum()) / len(costs) / 100
    middles = np.cumsum(weights) - weights / 2
    bins = np.minimum(np.floor(middles / weights.sum() * count), count - 1)
    starts = np.flatnonzero(np.diff(bins, prepend=-1)).tolist()
    return [slice(first, last) for first, last in zip(starts, [*starts[1:], len(costs)], strict=True)]


def jobs_of(items: pa.Table, slots: int) -> Iterator[pa.Table]:
    """Yield the items of each job, in their order, with the column `BIN`.

    Parameters
    ----------
    items
        The items, with their costs.
    slots
        Number of tasks that run at once.
    """
    # Spark loses all rows that follow an empty chunk of a table.
    items = items.combine_chunks()
    bins = equal_bins(items["cost"].to_numpy(), _BINS_A_SLOT * slots)
    bins_of_job = ceil(2 * slots / JOBS_AT_ONCE)
    for first in range(0, len(bins), bins_of_job):
        of_job = bins[first : first + bins_of_job]
        numbers = np.repeat(np.arange(len(of_job), dtype=np.int32), [each.stop - each.start for each in of_job])
        yield items.slice(of_job[0].start, len(numbers)).append_column(BIN, pa.array(numbers))
