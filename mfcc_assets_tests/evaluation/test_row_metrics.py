"""The metrics over arrays give the figures of those over named lists."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.evaluation import metrics
from mfcc_assets.evaluation.row_metrics import RowLists, codes_of, hubness_of, own_class_of, precision_of

TRACKS = 12

LISTS = st.lists(
    st.none() | st.lists(st.integers(0, TRACKS - 1), unique=True, max_size=8), min_size=TRACKS, max_size=TRACKS
)
NAMES = st.lists(st.sampled_from([None, "Bach", "Bird", "Björk"]), min_size=TRACKS, max_size=TRACKS)


def in_rows(lists: Sequence[Sequence[int] | None]) -> RowLists:
    rows = np.full((TRACKS, 8), -1, np.int32)
    for row, others in enumerate(lists):
        found = [other for other in others or [] if other != row]
        rows[row, : len(found)] = found
    return RowLists.of(rows, np.array([others is not None for others in lists]))


def by_name(lists: Sequence[Sequence[int] | None]) -> dict[str, list[str]]:
    return {
        str(row): [str(other) for other in others if other != row]
        for row, others in enumerate(lists)
        if others is not None
    }


def named(names: Sequence[str | None], among: Mapping[str, object]) -> dict[str, str]:
    return {str(row): name for row, name in enumerate(names) if name is not None and str(row) in among}


def codes(names: Sequence[str | None], among: Mapping[str, object]):
    return codes_of(name if str(row) in among else None for row, name in enumerate(names))


@given(LISTS)
def test_hubness(lists):
    found, expected = hubness_of(in_rows(lists)), metrics.hubness(by_name(lists))
    assert found.largest == expected.largest
    assert (found.skewness, found.never_recommended) == pytest.approx((expected.skewness, expected.never_recommended))


@given(LISTS, NAMES, NAMES, st.booleans())
def test_precision(lists, labels, albums, with_albums):
    queries = by_name(lists)
    expected = metrics.precision(queries, named(labels, queries), named(albums, queries) if with_albums else None)
    found = precision_of(in_rows(lists), codes(labels, queries), codes(albums, queries) if with_albums else None)
    assert (found is None) == (expected is None)
    if found:
        assert vars(found) == pytest.approx(vars(expected))


@given(LISTS, NAMES)
def test_recommendations_of_the_own_class(lists, classes):
    queries = by_name(lists)
    of_track = named(classes, queries)
    found = own_class_of(in_rows(lists), codes(classes, queries))
    for number, name in enumerate(dict.fromkeys(of_track.values())):
        of_class = {query: others for query, others in queries.items() if of_track.get(query) == name}
        expected = metrics.of_own_class(of_class, of_track)
        assert (number in found) == (expected is not None)
        if expected:
            assert vars(found[number]) == pytest.approx(vars(expected))


def test_places_that_are_left_out_are_closed():
    lists = RowLists.of(np.array([[1, -1, 2]], np.int32), np.ones(1, np.bool_))
    assert lists.rows.tolist() == [[1, 2, -1]]
    assert lists.without(np.array([[True, False, False]])).rows.tolist() == [[2, -1, -1]]
