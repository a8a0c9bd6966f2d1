"""Bins of equal cost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.compute.equal_bins import equal_bins

COSTS = st.lists(st.floats(0, 1e9), max_size=50).map(np.array)


@given(COSTS, st.integers(1, 20))
def test_each_item_is_in_one_of_at_most_so_many_bins(costs, count: int) -> None:
    bins = equal_bins(costs, count)

    assert len(bins) <= count
    assert [item for each in bins for item in range(each.start, each.stop)] == list(range(len(costs)))
    assert all(each.start < each.stop for each in bins)


@given(COSTS, st.integers(1, 20))
def test_a_bin_costs_at_most_a_share_and_its_largest_items(costs, count: int) -> None:
    for each in equal_bins(costs, count):
        own = costs[each]
        assert own.sum() <= 1.1 * costs.sum() / count + own.max() + 1e-6


def test_items_without_cost_are_spread_evenly() -> None:
    assert [each.stop - each.start for each in equal_bins(np.zeros(8), 4)] == [2, 2, 2, 2]
