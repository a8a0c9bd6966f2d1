"""Metrics of recommendation quality, compared with slow twins."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.evaluation.metrics import (
    EVALUATED_COUNT,
    Hubness,
    Precision,
    hits,
    hubness,
    mean_average_precision,
    of_own_class,
    precision,
    query_counts,
    random_distances,
    ranked_by,
    recall,
    without_copies,
)
from mfcc_assets_tests import naive

TRACKS = [f"track {number}" for number in range(12)]
LISTS = st.dictionaries(st.sampled_from(TRACKS), st.lists(st.sampled_from(TRACKS), max_size=8, unique=True))
RANKED = LISTS.map(lambda lists: {query: [track for track in lists[query] if track != query] for query in lists})
LABELS = st.dictionaries(st.sampled_from(TRACKS), st.sampled_from(["Bach", "Bird", "Björk"]))


def test_precision_counts_recommendations_with_the_label_of_the_query():
    labels = dict.fromkeys(["a", "b", "c", "d"], "Bach") | dict.fromkeys(["x", "y"], "Bird")
    ranked = {"a": ["b", "x", "c", "y", "nobody's", "d"], "b": ["x", "y"], "x": ["y"], "nobody's": ["a"]}
    assert precision(ranked, labels) == Precision(queries=2, at_1=0.5, at_5=0.2, hit_at_5=0.5)


def test_a_label_of_only_two_tracks_is_not_evaluated():
    assert precision({"a": ["b"], "b": ["a"]}, {"a": "Bach", "b": "Bach"}) is None
    assert precision({"a": ["b"]}, {}) is None
    assert precision({}, {"a": "Bach", "b": "Bach", "c": "Bach"}) is None


def assert_are_means(found: Precision | None, at_1: list[float], at_5: list[float]) -> None:
    """Check that figures are the means over queries, and that there are none without a query."""
    if not at_1:
        assert found is None
        return
    assert found is not None
    assert found.queries == len(at_1)
    assert found.at_1 == pytest.approx(sum(at_1) / len(at_1))
    assert found.at_5 == pytest.approx(sum(at_5) / len(at_5))
    assert found.hit_at_5 == pytest.approx(sum(share > 0 for share in at_5) / len(at_5))


@given(RANKED, LABELS)
def test_precision_equals_that_of_the_slow_twin(ranked, labels):
    at_1, at_5 = (naive.share_with_label(ranked, labels, count) for count in (1, 5))
    found = precision(ranked, labels)
    assert_are_means(found, at_1, at_5)


@given(RANKED, LABELS, st.none() | st.dictionaries(st.sampled_from(TRACKS), st.sampled_from(["Suites", "Fugues"])))
def test_precision_is_the_mean_of_the_hits_of_its_queries(ranked, labels, albums):
    found = hits(ranked, labels, albums)
    shares = [sum(of_query) / EVALUATED_COUNT for of_query in found.values()]
    assert_are_means(precision(ranked, labels, albums), [sum(of_query[:1]) for of_query in found.values()], shares)
    if albums is None and set(labels) <= set(ranked):
        assert query_counts(labels) == (len(found), len({labels[query] for query in found}))


@given(RANKED, st.dictionaries(st.sampled_from(TRACKS), st.sampled_from(["MP3", "Opus"])), st.integers(1, 8))
def test_the_share_of_the_own_class_equals_that_of_the_slow_twin(ranked, classes, count):
    expected = naive.of_own_class(ranked, classes, count)
    found = of_own_class(ranked, classes, count)
    if not expected:
        assert found is None
        return
    assert found is not None
    assert found.queries == len(expected)
    assert (found.same, found.by_chance) == pytest.approx(tuple(np.mean(expected, axis=0)))


def test_random_lists_have_the_own_class_as_often_as_chance_gives():
    names = [f"{number}" for number in range(300)]
    classes = {name: "MP3" if number % 10 else "Opus" for number, name in enumerate(names)}
    found = of_own_class(ranked_by(random_distances(300), names), classes)
    assert found is not None
    assert found.same == pytest.approx(found.by_chance, abs=0.02)
    assert found.by_chance == pytest.approx(0.9**2 + 0.1**2, abs=0.01)


def test_tracks_of_the_querys_own_album_are_left_out():
    labels = dict.fromkeys(["a", "b", "c", "d"], "Bach")
    albums = {"a": "Suites", "b": "Suites", "c": "Fugues", "x": "Fugues"}
    ranked = {"a": ["b", "x", "c", "d"], "c": ["x", "a"], "d": ["a"], "x": ["c"]}
    found = {"queries": 2, "at_1": 0.5, "at_5": pytest.approx(0.3), "hit_at_5": 1.0}
    assert vars(precision(ranked, labels, albums)) == found


def test_without_a_known_album_there_is_no_precision_beyond_the_album():
    labels = dict.fromkeys(["a", "b", "c"], "Bach")
    assert precision({"a": ["b"]}, labels, {}) is None
    assert precision({"a": ["b"]}, labels) == Precision(queries=1, at_1=1.0, at_5=0.2, hit_at_5=1.0)


def test_tracks_of_an_artist_with_a_single_album_are_no_queries():
    labels = dict.fromkeys(["a", "b", "c"], "Bach")
    assert precision({"a": ["b"]}, labels, dict.fromkeys(labels, "Suites")) is None


@given(RANKED, LABELS, st.dictionaries(st.sampled_from(TRACKS), st.sampled_from(["Suites", "Fugues"])))
def test_precision_beyond_the_album_equals_that_of_the_slow_twin(ranked, labels, albums):
    at_1, at_5 = (naive.shares_beyond_album(ranked, labels, albums, count) for count in (1, 5))
    found = precision(ranked, labels, albums)
    assert_are_means(found, at_1, at_5)


def test_all_others_are_ranked_by_their_distance():
    distances = np.array([[np.nan, 2.0, 1.0], [2.0, 0.0, 2.0], [1.0, np.inf, np.inf]])
    assert ranked_by(distances, ["a", "b", "c"]) == {"a": ["c", "b"], "b": ["a", "c"], "c": ["a", "b"]}
    assert ranked_by(np.zeros((0, 0)), []) == {}


def test_distances_that_cannot_be_ranked_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        ranked_by(np.array([[0.0, np.nan], [1.0, 0.0]]), ["a", "b"])
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        ranked_by(np.zeros((2, 3)), ["a", "b"])


def test_random_distances_are_the_same_each_time_and_independent_of_labels():
    labels = {track: track[0] for track in (f"{letter}{number}" for letter in "abcdefghij" for number in range(30))}
    assert np.array_equal(random_distances(300), random_distances(300))
    found = precision(ranked_by(random_distances(300), list(labels)), labels)
    assert found is not None
    assert found.at_5 == pytest.approx(29 / 299, abs=0.02)


def test_average_precision_uses_the_whole_ranking():
    works = {"a": "Aria", "b": "Aria", "c": "Aria", "alone": "Fugue"}
    ranked = {"a": ["b", "c", "alone"], "b": ["alone", "a", "x", "c"], "c": ["alone"], "alone": ["a"], "x": ["a"]}
    assert mean_average_precision(ranked, works) == pytest.approx((1 + (1 / 2 + 2 / 4) / 2 + 0) / 3)


def test_there_is_no_average_precision_if_no_work_has_two_tracks():
    assert mean_average_precision({"a": ["b"], "b": ["a"]}, {"a": "Aria", "b": "Fugue"}) is None
    assert mean_average_precision({"a": ["b"]}, {}) is None


def test_a_track_in_every_list_is_a_hub():
    ranked = {"a": ["hub"], "b": ["hub"], "c": ["hub"], "hub": ["a"]}
    assert vars(hubness(ranked)) == {
        "skewness": pytest.approx(scipy.stats.skew([1, 0, 0, 3])),
        "largest": 3,
        "never_recommended": 0.5,
    }


def test_hubness_is_zero_if_every_track_is_in_equally_many_lists():
    assert hubness({"a": ["b"], "b": ["c"], "c": ["a"]}) == Hubness(0.0, 1, 0.0)
    assert hubness({}) == Hubness(0.0, 0, 0.0)


def test_only_the_first_recommendations_count_towards_hubness():
    assert hubness({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, count=1).largest == 2
    assert hubness({"a": ["b", "c"], "b": ["a"], "c": ["a"]}, count=1).never_recommended == pytest.approx(1 / 3)


@given(RANKED, st.integers(1, 8))
def test_hubness_is_the_skewness_of_the_number_of_lists_with_a_track(ranked, size):
    named = [track for tracks in ranked.values() for track in tracks[:size]]
    counts = [named.count(query) for query in ranked]
    found = hubness(ranked, size)
    assert found.largest == max(counts, default=0)
    assert found.never_recommended == pytest.approx(counts.count(0) / len(counts) if counts else 0)
    expected = scipy.stats.skew(counts) if len(set(counts)) > 1 else 0.0
    assert found.skewness == pytest.approx(expected, abs=1e-9)


def test_recall_is_the_mean_share_of_the_best_that_were_found():
    exhaustive = {"a": ["b", "c", "d"], "b": ["a"], "alone": []}
    assert recall(exhaustive, {"a": ["c", "b"], "b": ["c"]}, count=2) == 0.5
    assert recall(exhaustive, {"a": ["c", "b"]}, count=3) == pytest.approx(1 / 3)
    assert recall({"alone": []}, {}) == 1.0
    assert recall({}, {"a": ["b"]}) == 1.0


def test_recall_covers_the_evaluated_count_by_default():
    ranked = {"a": TRACKS}
    assert recall(ranked, {"a": TRACKS[:EVALUATED_COUNT]}) == 1
    assert recall(ranked, {"a": TRACKS[:EVALUATED_COUNT]}, count=2 * EVALUATED_COUNT) == 0.5


@given(RANKED, RANKED, st.integers(1, 8))
def test_recall_equals_that_of_the_slow_twin(exhaustive, found, size):
    shares = naive.share_found(exhaustive, found, size)
    assert recall(exhaustive, found, size) == pytest.approx(sum(shares) / len(shares) if shares else 1)


@given(RANKED, RANKED)
def test_recall_is_one_if_all_were_found_and_zero_if_none(exhaustive, found):
    assert recall(exhaustive, dict.fromkeys(exhaustive, TRACKS)) == 1
    assert 0 <= recall(exhaustive, found) <= 1
    if any(exhaustive.values()):
        assert recall(exhaustive, {}) == 0


@given(RANKED, st.dictionaries(st.sampled_from(TRACKS), st.sampled_from(TRACKS[:4])))
def test_lists_without_copies_have_each_recording_once_and_not_that_of_the_query(ranked, named) -> None:
    # A track that represents a recording represents itself.
    recordings = {track: first for track, first in named.items() if track not in TRACKS[:4]}
    found = without_copies(ranked, recordings)
    assert found.keys() == {query for query in ranked if query not in recordings}
    for query, tracks in found.items():
        assert {query, *tracks} == {query, *(recordings.get(track, track) for track in ranked[query])}
        assert len({query, *tracks}) == 1 + len(tracks)
