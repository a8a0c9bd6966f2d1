"""Means over labels, and intervals by resampling labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.evaluation.intervals import (
    difference_with_interval,
    mean_over_labels,
    shares_by_label,
    with_interval,
)

SHARES = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.sampled_from([0.0, 0.2, 0.4, 1.0]), min_size=1, max_size=5), min_size=1
)


def resampled_means(shares: dict[str, list[float]]) -> list[float]:
    """The means over queries of labels drawn again, added up one by one."""
    labels = list(shares)
    rows = np.random.default_rng(0).integers(0, len(labels), (1_000, len(labels)))
    pooled = [[share for row in drawn for share in shares[labels[row]]] for drawn in rows.tolist()]
    return [sum(of_draw) / len(of_draw) for of_draw in pooled]


def test_a_label_with_many_tracks_counts_once_in_the_mean_over_labels() -> None:
    shares = {"Bach": [1.0] * 8, "Bird": [0.0, 0.2]}

    assert mean_over_labels(shares) == pytest.approx(0.55)
    found = with_interval(shares)
    assert found is not None
    assert found.mean == pytest.approx(0.82)


def test_hits_of_several_draws_are_put_together_by_label() -> None:
    draws = [{"a": [True, True], "x": [False]}, {"a": [False]}]
    assert shares_by_label(draws, {"a": "Bird", "x": "Bach"}) == {"Bach": [0.0], "Bird": [0.4, 0.0]}


@given(SHARES)
def test_an_interval_equals_that_of_the_slow_twin(shares: dict[str, list[float]]) -> None:
    found = with_interval(shares)

    assert found is not None
    low, high = np.percentile(resampled_means(shares), [5, 95])
    assert (found.low, found.high) == pytest.approx((low, high))


@given(SHARES, st.floats(-0.5, 0.5))
def test_the_interval_of_a_difference_draws_the_same_labels_for_both(
    shares: dict[str, list[float]], more: float
) -> None:
    better = {label: [share + more for share in of_label] for label, of_label in shares.items()}

    found = difference_with_interval(better, shares)

    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((more, more, more))


def test_the_labels_of_a_difference_must_be_the_same() -> None:
    with pytest.raises(ValueError, match="the same labels"):
        difference_with_interval({"Bach": [1.0]}, {"Bird": [1.0]})


def test_without_a_query_there_is_no_figure() -> None:
    assert with_interval({}) is None
    assert difference_with_interval({}, {}) is None
    assert mean_over_labels({}) is None


def test_nine_of_ten_intervals_hold_the_true_mean() -> None:
    chance = np.random.default_rng(1)
    found = [
        with_interval(
            {str(label): [float(chance.normal(0.4, 0.1))] * int(chance.integers(3, 9)) for label in range(40)}
        )
        for _ in range(100)
    ]
    assert 80 <= sum(figure is not None and figure.low <= 0.4 <= figure.high for figure in found) <= 99
