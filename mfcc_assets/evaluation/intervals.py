"""Means over labels, and intervals that show how much a figure depends on the labels that a set happens to have.

The tracks of one artist are no independent observations. So whole labels are drawn again, and not queries.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.evaluation.metrics import EVALUATED_COUNT

_RESAMPLES = 1_000
_INTERVAL = (5, 95)
"""Percentiles of the ends of an interval."""

SharesByLabel = Mapping[str, Sequence[float]]
"""Precision at five of every query of a label, by the label."""


@dataclass(frozen=True)
class Figure:
    """A mean over queries with its 90 % interval.

    Attributes
    ----------
    mean
        Mean over queries.
    low, high
        5th and 95th percentile of this mean over 1,000 draws of as many labels, with replacement.
    """

    mean: float
    low: float
    high: float


def shares_by_label(hits: Iterable[Mapping[str, Sequence[bool]]], labels: Mapping[str, str]) -> dict[str, list[float]]:
    """Return the precision at five of every query by its label.

    Parameters
    ----------
    hits
        Results of `mfcc_assets.evaluation.metrics.hits`, for example one for each of several draws.
    labels
        Label of each query.

    Examples
    --------
    >>> shares_by_label([{"a": [True, False], "b": [True, True]}], {"a": "Bach", "b": "Bach"})
    {'Bach': [0.2, 0.4]}
    """
    shares = defaultdict(list)
    for found in hits:
        for query, of_query in found.items():
            shares[labels[query]].append(sum(of_query) / EVALUATED_COUNT)
    return dict(sorted(shares.items()))


def mean_over_labels(shares: SharesByLabel) -> float | None:
    """Return the mean over labels of the mean of their queries. An artist with many tracks counts as much as others."""
    return float(np.mean([np.mean(of_label) for of_label in shares.values()])) if shares else None


def with_interval(shares: SharesByLabel) -> Figure | None:
    """Return the mean over queries with its 90 % interval, or None if there is no query."""
    if not shares:
        return None
    return _figure(np.mean(np.concatenate([*shares.values()])), _resampled_means(shares))


def difference_with_interval(shares: SharesByLabel, others: SharesByLabel) -> Figure | None:
    """Return the difference of the means of two rankings with its 90 % interval, or None if there is no query.

    The same labels are drawn for both rankings. So what is hard for both does not widen the interval.

    Raises
    ------
    ValueError
        If the labels differ.
    """
    if list(shares) != list(others):
        raise ValueError("expected the same labels in the same order")
    if not shares:
        return None
    means = [np.mean(np.concatenate([*of_ranking.values()])) for of_ranking in (shares, others)]
    return _figure(means[0] - means[1], _resampled_means(shares) - _resampled_means(others))


def _resampled_means(shares: SharesByLabel) -> NDArray[np.float64]:
    """Return the means over queries (resamples,) of labels that are drawn with replacement."""
    sums = np.array([np.sum(of_label) for of_label in shares.values()])
    queries = np.array([len(of_label) for of_label in shares.values()])
    drawn = np.random.default_rng(0).integers(0, len(sums), (_RESAMPLES, len(sums)))
    means: NDArray[np.float64] = sums[drawn].sum(axis=1) / queries[drawn].sum(axis=1)
    return means


def _figure(mean: np.floating, resampled: NDArray[np.float64]) -> Figure:
    low, high = np.percentile(resampled, _INTERVAL)
    return Figure(float(mean), float(low), float(high))
