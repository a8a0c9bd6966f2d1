"""Grouping the tracks of a library by recording."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.recognition.copies import COMPARED_NEAREST, group_copies


def firsts(names: Sequence[int]) -> list[int]:
    """Return the first row of each name."""
    return [names.index(name) for name in names]


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 60), st.integers(1, 7))
def test_copies_are_found_whatever_is_known(names: list[int], known: int, rows_at_once: int) -> None:
    def nearest(rows: Sequence[int], count: int) -> list[list[int]]:
        return [np.argsort([abs(name - names[row]) for name in names], kind="stable")[:count].tolist() for row in rows]

    groups = [[row for row, other in enumerate(names[:known]) if other == name] for name in set(names[:known])]
    found = group_copies(
        len(names),
        range(known, len(names)),
        nearest,
        lambda row, other: names[row] == names[other],
        groups,
        rows_at_once=rows_at_once,
    )
    assert found.tolist() == firsts(names)


def test_more_copies_than_are_compared_at_first_are_one_recording_and_take_few_comparisons() -> None:
    names = [0] * (5 * COMPARED_NEAREST) + [1, 2]
    compared = []

    def is_same(row: int, other: int) -> bool:
        compared.append((row, other))
        return names[row] == names[other]

    def nearest(rows: Sequence[int], count: int) -> list[list[int]]:
        return [np.argsort([abs(other - row) for other in range(len(names))])[:count].tolist() for row in rows]

    assert group_copies(len(names), range(len(names)), nearest, is_same).tolist() == firsts(names)
    assert len(compared) < 5 * len(names)
