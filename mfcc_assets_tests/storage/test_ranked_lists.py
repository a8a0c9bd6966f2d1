"""Ranked lists in arrays."""

from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import AudioId
from mfcc_assets.storage.ranked_lists import ListHeads, RankedLists, newest

IDS = st.text("0123456789abcdefX", min_size=1, max_size=4) | st.integers(0, 2**128 - 1).map(lambda one: f"{one:032x}")
GROUPED = st.dictionaries(IDS, st.lists(st.tuples(IDS, st.floats(allow_nan=False)), min_size=1), max_size=4)


@given(GROUPED)
def test_ranked_lists_keep_their_groups(grouped):
    assert RankedLists.of(grouped).by_query() == grouped


@given(GROUPED)
def test_packed_lists_are_read_as_they_were(grouped):
    lists = RankedLists.of(grouped, dict.fromkeys(grouped, 1 / 3))
    rows = lists.packed_rows()
    heads, digest = ListHeads.unpacked(lists.heads().packed("digest of the rows"))
    assert digest == "digest of the rows"
    found = RankedLists.of_packed_rows(heads, rows)
    assert found.by_query() == grouped
    assert found.limits.tolist() == lists.limits.tolist()


@given(GROUPED, GROUPED)
def test_the_newest_lists_are_those_of_the_later_layer(first, second):
    lists = newest([RankedLists.of(first), RankedLists.of(second)])
    assert lists.by_query() == {**first, **second}
    assert list(lists.queries) == sorted({*first, *second})
    numbers = lists.numbers(RankedLists.of(second).queries)
    assert [lists.list_of(number) for number in numbers.tolist()] == [second[query] for query in sorted(second)]
    assert lists.numbers(RankedLists.of({AudioId("missing"): []}).queries).tolist() == [-1]
