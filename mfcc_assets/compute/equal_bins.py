"""Bins of equal cost, so that no core of a cluster waits for another one at the end."""

import numpy as np
from numpy.typing import NDArray


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
        The bins. None is empty. An item may cost more than an equal
        share. Its bin then has few other items.

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
