"""Tests of the groups that colour a map."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.web.map.groups import COLOURS, decade, groups_of

LABELS = st.lists(st.sampled_from(["", *map(str, range(20))]), max_size=200)


@given(LABELS)
def test_each_code_leads_back_to_the_label(labels: list[str]) -> None:
    groups = groups_of(labels)

    assert len(groups.codes) == len(labels)
    for code, label in zip(groups.codes, labels, strict=True):
        assert label not in groups.names if code == "-" else groups.names[int(code)] == label


@given(LABELS)
def test_no_group_without_a_colour_is_larger_than_one_with(labels: list[str]) -> None:
    groups, counts = groups_of(labels), Counter(label for label in labels if label)

    assert len(groups.names) == min(COLOURS, len(counts))
    assert groups.counts == [counts[name] for name in groups.names]
    left = [count for label, count in counts.items() if label not in groups.names]
    assert max(left, default=0) <= min(groups.counts, default=0)


def test_decades_come_in_their_order() -> None:
    labels = [decade(year) for year in (1999, 2003, 2005, 1985, None)]

    assert groups_of(labels, by_name=True).names == ["1980–1989", "1990–1999", "2000–2009"]
