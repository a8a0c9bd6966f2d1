"""Ranked lists without some tracks, and as many left out at random."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.evaluation.barred import barred_at_random, with_enough_left, without

TRACKS = [f"track {number}" for number in range(9)]
RANKED = st.fixed_dictionaries(
    {track: st.permutations([other for other in TRACKS if other != track]) for track in TRACKS}
)
LABELS = st.dictionaries(st.sampled_from(TRACKS), st.sampled_from(["Bach", "Bird"]))
BARRED = st.dictionaries(st.sampled_from(TRACKS), st.sets(st.sampled_from(TRACKS)))


def test_barred_tracks_are_left_out_of_the_list_of_their_query_alone() -> None:
    assert without({"a": ["b", "c"], "c": ["b"]}, {"a": {"b"}}) == {"a": ["c"], "c": ["b"]}


def test_a_query_needs_two_other_tracks_of_its_label() -> None:
    labels = dict.fromkeys("abc", "Bach")
    ranked = {"a": ["x", "b", "c"], "b": ["a", "c"], "x": ["a", "b"]}
    assert with_enough_left(ranked, labels, {"b": {"c"}}) == {"a"}


@given(RANKED, LABELS, BARRED, st.integers(0, 3))
def test_as_many_tracks_of_the_label_and_of_others_are_barred_at_random(ranked, labels, barred, draw) -> None:
    found = barred_at_random(ranked, labels, barred, draw)

    assert found == barred_at_random({query: tracks[::-1] for query, tracks in ranked.items()}, labels, barred, draw)
    for query, tracks in ranked.items():
        assert found[query] <= set(tracks)
        wanted = barred.get(query, set()) & set(tracks)
        assert len(found[query]) == len(wanted)
        same = [
            sum(labels.get(track) == labels.get(query) for track in left_out) for left_out in (found[query], wanted)
        ]
        assert same[0] == same[1]


def test_every_track_is_barred_about_as_often() -> None:
    ranked = {"query": [f"{number}" for number in range(10)]}
    drawn = [barred_at_random(ranked, {}, {"query": {"0", "1", "2"}}, draw)["query"] for draw in range(300)]
    for track in ranked["query"]:
        assert sum(track in found for found in drawn) == pytest.approx(90, abs=35)
