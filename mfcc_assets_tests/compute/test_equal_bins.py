"""Bins of equal cost, and the jobs that have them."""

import heapq

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.compute.equal_bins import BIN, JOBS_AT_ONCE, equal_bins, jobs_of

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


@given(COSTS, st.integers(1, 20))
def test_an_item_that_costs_more_than_two_bins_has_a_bin_of_its_own(costs, count: int) -> None:
    share = 1.02 * costs.sum() / count + 1e-6

    alone = {each.start for each in equal_bins(costs, count) if each.stop == each.start + 1}

    assert set(np.flatnonzero(costs > 2 * share).tolist()) <= alone


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=200), st.integers(1, 16))
def test_cores_end_about_when_they_would_with_equal_shares(whole: list[int], cores: int) -> None:
    costs = np.array(whole, float)

    bins = equal_bins(costs, 4 * cores)

    assert _last(costs, bins, cores) <= 1.3 * costs.sum() / cores + costs.max()


def test_with_very_skewed_costs_the_end_is_that_of_the_longest_item() -> None:
    costs = np.ones(20_000)
    costs[[3, 7_000, 7_001]] = 2_000

    assert _last(costs, equal_bins(costs, 4 * 8), cores=8) <= 1.25 * costs.sum() / 8
    costs[7_000] = 1e6
    assert _last(costs, equal_bins(costs, 4 * 8), cores=8) <= 1.01 * 1e6


def _last(costs, bins: list[slice], cores: int) -> float:
    """Return the time when the last core ends, if each core that is free takes the next bin."""
    free = [0.0] * cores
    for each in bins:
        heapq.heappush(free, heapq.heappop(free) + costs[each].sum())
    return max(free)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(1, 12))
def test_jobs_have_each_item_once_and_number_their_bins(costs: list[float], slots: int) -> None:
    items = pa.table({"key": range(len(costs)), "cost": costs})

    jobs = list(jobs_of(items, slots))

    assert [key for job in jobs for key in job["key"].to_pylist()] == list(range(len(costs)))
    for job in jobs:
        numbers = job[BIN].to_numpy()
        assert numbers[0] == 0
        assert set(np.diff(numbers).tolist()) <= {0, 1}
        # All jobs that run at once have work for each slot, and leave few waiting.
        assert JOBS_AT_ONCE * (numbers[-1] + 1) < 2 * slots + JOBS_AT_ONCE
