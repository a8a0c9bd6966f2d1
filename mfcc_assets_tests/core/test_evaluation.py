import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.core.evaluation import EVALUATED_PLACES, Hubness, Precision, hubness, precision, recall
from mfcc_assets_tests import naive

TRACKS = [f"track {number}" for number in range(12)]
RANKED = st.dictionaries(st.sampled_from(TRACKS), st.lists(st.sampled_from(TRACKS), max_size=8, unique=True))
LABELS = st.dictionaries(st.sampled_from(TRACKS), st.sampled_from(["Bach", "Bird", "Björk"]))


def test_precision_counts_the_places_that_carry_the_label_of_the_query():
    labels = dict.fromkeys(["a", "b", "c", "d"], "Bach") | dict.fromkeys(["x", "y"], "Bird")
    ranked = {"a": ["b", "x", "c", "y", "nobody's", "d"], "b": ["x", "y"], "x": ["y"], "nobody's": ["a"]}
    assert precision(ranked, labels) == Precision(queries=2, at_1=0.5, at_5=0.2, hit_at_5=0.5)


def test_a_label_that_two_tracks_carry_is_no_measure():
    assert precision({"a": ["b"], "b": ["a"]}, {"a": "Bach", "b": "Bach"}) is None
    assert precision({"a": ["b"]}, {}) is None
    assert precision({}, {"a": "Bach", "b": "Bach", "c": "Bach"}) is None


@given(RANKED, LABELS)
def test_precision_is_that_of_the_slow_twin(ranked, labels):
    at_1, at_5 = (naive.share_with_label(ranked, labels, places) for places in (1, 5))
    found = precision(ranked, labels)
    if not at_1:
        assert found is None
    else:
        assert found.queries == len(at_1)
        assert found.at_1 == pytest.approx(sum(at_1) / len(at_1))
        assert found.at_5 == pytest.approx(sum(at_5) / len(at_5))
        assert found.hit_at_5 == pytest.approx(sum(share > 0 for share in at_5) / len(at_5))


def test_a_track_in_every_list_is_a_hub():
    ranked = {"a": ["hub"], "b": ["hub"], "c": ["hub"], "hub": ["a"]}
    assert hubness(ranked) == Hubness(
        skewness=pytest.approx(scipy.stats.skew([1, 0, 0, 3])), largest=3, never_recommended=0.5
    )


def test_lists_that_name_every_track_as_often_are_even():
    assert hubness({"a": ["b"], "b": ["c"], "c": ["a"]}) == Hubness(0.0, 1, 0.0)
    assert hubness({}) == Hubness(0.0, 0, 0.0)


def test_only_the_first_places_count_towards_hubness():
    assert hubness({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, size=1).largest == 2
    assert hubness({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, size=1).never_recommended == pytest.approx(1 / 3)


@given(RANKED, st.integers(1, 8))
def test_hubness_is_the_skewness_of_how_often_a_track_is_named(ranked, size):
    named = [track for tracks in ranked.values() for track in tracks[:size]]
    counts = [named.count(query) for query in ranked]
    found = hubness(ranked, size)
    assert found.largest == max(counts, default=0)
    assert found.never_recommended == pytest.approx(counts.count(0) / len(counts) if counts else 0)
    expected = scipy.stats.skew(counts) if len(set(counts)) > 1 else 0.0
    assert found.skewness == pytest.approx(expected, abs=1e-9)


def test_recall_is_the_mean_share_of_the_best_that_were_found():
    exhaustive = {"a": ["b", "c", "d"], "b": ["a"], "alone": []}
    assert recall(exhaustive, {"a": ["c", "b"], "b": ["c"]}, size=2) == 0.5
    assert recall(exhaustive, {"a": ["c", "b"]}, size=3) == pytest.approx(1 / 3)
    assert recall({"alone": []}, {}) == 1.0
    assert recall({}, {"a": ["b"]}) == 1.0


def test_recall_is_of_as_many_places_as_are_evaluated_unless_more_are_asked_for():
    ranked = {"a": TRACKS}
    assert recall(ranked, {"a": TRACKS[:EVALUATED_PLACES]}) == 1
    assert recall(ranked, {"a": TRACKS[:EVALUATED_PLACES]}, size=2 * EVALUATED_PLACES) == 0.5


@given(RANKED, RANKED, st.integers(1, 8))
def test_recall_is_that_of_the_slow_twin(exhaustive, found, size):
    shares = naive.share_found(exhaustive, found, size)
    assert recall(exhaustive, found, size) == pytest.approx(sum(shares) / len(shares) if shares else 1)


@given(RANKED, RANKED)
def test_recall_is_whole_where_all_were_found_and_never_more(exhaustive, found):
    assert recall(exhaustive, dict.fromkeys(exhaustive, TRACKS)) == 1
    assert 0 <= recall(exhaustive, found) <= 1
    if any(exhaustive.values()):
        assert recall(exhaustive, {}) == 0
