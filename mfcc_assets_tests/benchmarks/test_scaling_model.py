"""The simulation of large libraries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets_tests.benchmarks.scaling_model import (
    Computers,
    Grown,
    Part,
    Rates,
    first_load,
    largest_within,
    last_end,
    load,
    shared_seconds,
    week,
)

EQUAL = np.ones(100)
SIZES = (1_000, 4_000)
RATES = Rates(
    look=0.01,
    features=0.5,
    read=0.001,
    write=0.00001,
    shared={name: Grown(SIZES, (0.01, 0.02)) for name in ("index", "candidates", "rankings")},
    alone={"features": 0.001, "candidates": 0.0001, "rankings": 0.0001},
    lists=Grown(SIZES, (0.0004, 0.0004)),
    run={name: Grown(SIZES, (1.0, 4.0)) for name in ("index", "quality", "publication", "recommendations")},
    further=Grown(SIZES, (0.2, 0.4)),
    start=10.0,
    job=0.5,
    item=0.001,
)
TWO, MANY = Computers("2", 2, 2), Computers("64", 64, 64)
CLUSTER = Computers("64 in a cluster", 64, 8, start=300.0)

BINS = st.lists(st.floats(0, 1_000), min_size=1, max_size=60)


@given(BINS, st.integers(1, 16))
def test_the_last_core_ends_no_sooner_than_possible_and_wastes_at_most_one_bin(bins: list[float], cores: int) -> None:
    end, total = last_end(bins, cores), sum(bins)

    assert end >= max(*bins, total / cores) * (1 - 1e-9)
    assert end <= (total / cores + max(bins)) * (1 + 1e-9)


def test_one_core_takes_all_bins_one_after_the_other() -> None:
    assert last_end([3, 1, 2], 1) == 6


@given(st.integers(1, 10**7))
def test_a_figure_that_grew_with_the_root_of_the_size_goes_on_so(size: int) -> None:
    assert Grown((100, 400), (1.0, 2.0)).at(size) == pytest.approx(np.sqrt(size / 100))


def test_a_figure_that_did_not_grow_stays() -> None:
    assert Grown((100, 400), (2.0, 1.5)).at(10**6) == Grown((100, 400), (0.0, 1.5)).at(1) == 1.5


@given(st.integers(1, 200_000), st.integers(1, 400))
def test_shared_work_takes_at_least_its_share_and_not_much_more(items: int, cores: int) -> None:
    computers, part = Computers("", cores, cores), Part("", items, each=0.5)

    seconds = shared_seconds(part, EQUAL, computers, RATES)

    # Each group of items may end with a bin, or a single item, on one core.
    groups = -(-items // 50_000)
    share = items * 0.5 / cores
    assert share * (1 - 1e-6) <= seconds <= share * 1.5 + groups * 0.5 * 2


def test_one_very_long_track_keeps_a_core_busy_while_the_others_wait() -> None:
    lengths, part = np.array([1e6, *np.ones(99)]), Part("", 100, each=1.0)

    assert shared_seconds(part, lengths, MANY, RATES) == pytest.approx(100, rel=1e-3)
    assert shared_seconds(part, EQUAL, MANY, RATES) == pytest.approx(2)


def test_a_cluster_costs_its_start_its_jobs_and_something_for_each_item() -> None:
    part = Part("", 1_280, each=1.0)
    here, there = (shared_seconds(part, EQUAL, computers, RATES) for computers in (MANY, CLUSTER))

    assert there - here == pytest.approx(8 * RATES.job + 1_280 / 64 * RATES.item)
    parts = first_load(100, RATES)
    assert load(parts, EQUAL, CLUSTER, RATES).seconds > 300 + RATES.start


def test_the_serial_part_is_the_same_on_all_computers_and_bounds_the_time() -> None:
    parts = [Part("shared", 10_000, each=0.1), Part("alone", alone=200.0), Part("also", alone=50.0)]

    found = [load(parts, EQUAL, computers, RATES) for computers in (TWO, MANY)]

    assert [each.serial_seconds for each in found] == [250, 250]
    assert [each.longest_serial for each in found] == ["alone", "alone"]
    assert found[0].seconds == pytest.approx(250 + 500, rel=0.01)
    assert found[1].seconds == pytest.approx(250 + 1_000 / 64, rel=0.05)
    assert found[1].worked == found[0].worked == 1_250
    assert found[1].paid == found[1].seconds * 64


def test_the_cores_of_the_machine_of_the_run_share_what_only_it_can_do() -> None:
    parts = [Part("here", here=640.0)]

    assert [load(parts, EQUAL, computers, RATES).serial_seconds for computers in (TWO, MANY, CLUSTER)] == [320, 10, 80]


def test_a_cluster_is_paid_with_the_machine_of_the_run() -> None:
    found = load([Part("alone", alone=10.0)], EQUAL, CLUSTER, RATES)

    assert found.seconds == 10 + 300 + RATES.start
    assert found.paid == found.seconds * 72


@pytest.mark.parametrize("parts_of", [first_load, week])
@pytest.mark.parametrize("computers", [TWO, MANY, CLUSTER])
def test_a_larger_library_takes_longer(parts_of, computers: Computers) -> None:
    seconds = [load(parts_of(size, RATES), EQUAL, computers, RATES).seconds for size in (1_000, 10_000, 100_000)]

    assert seconds == sorted(seconds)


def test_a_week_has_its_share_of_new_tracks_and_one_run() -> None:
    parts = {part.name: part for part in week(100_000, RATES)}

    assert parts["features"].items == 200
    assert parts["lists of the new tracks"].items == 199
    assert parts["quality"].alone == RATES.run["quality"].at(100_000)


def test_the_largest_library_within_a_time_is_found_to_two_digits() -> None:
    assert largest_within(1, lambda tracks: tracks / 100, most=10**9) == 360_000
    assert largest_within(1, lambda tracks: tracks / 100, most=200_000) == 200_000
    assert largest_within(1, lambda _: 1e9, most=10**9) == 0
