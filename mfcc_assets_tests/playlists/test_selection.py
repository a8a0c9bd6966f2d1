"""What a list may hold."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.playlists.selection import Selection, considered


@dataclass(frozen=True)
class Track:
    artist: str = ""
    album: str = ""
    track_id: str = ""


def never(_one: str, _other: str) -> bool:
    return False


def by_artists(*artists: str) -> dict[str, Track]:
    """Tracks a, b, c … of these artists."""
    return {chr(ord("a") + place): Track(artist) for place, artist in enumerate(artists)}


def test_an_artist_gets_no_more_places_than_the_cap() -> None:
    selection = Selection(by_artists("Abba", "Abba", "Abba", "Blur", "Cher"), never, most=2)
    assert selection.choose("abcde", 4) == ["a", "b", "d", "e"]


def test_tracks_beyond_the_cap_fill_a_list_below_the_line() -> None:
    selection = Selection(by_artists("Abba", "Abba", "Abba", "Abba", "Cher"), never, most=2)
    assert selection.choose("abcde", 4) == ["a", "b", "e", "c"]


def test_an_album_is_capped_whoever_plays_on_it() -> None:
    credited = {name: Track(artist=name, album="Songs of the Sea ") for name in "abc"} | {"d": Track("d", "Other")}
    assert Selection(credited, never, most=1).choose("abcd", 2) == ["a", "d"]


@pytest.mark.parametrize("spelled", ["abba", " ABBA ", "Abba\t"])
def test_an_artist_is_the_same_in_other_letters_and_with_space_around(spelled: str) -> None:
    selection = Selection(by_artists("Abba", spelled, "Cher"), never, most=1)
    assert selection.choose("abc", 2) == ["a", "c"]


def test_without_a_cap_and_without_tags_the_nearest_are_chosen() -> None:
    assert Selection(by_artists(*["Abba"] * 5), never, most=0).choose("abcde", 4) == list("abcd")
    assert Selection(by_artists(*[" "] * 5), never, most=1).choose("abcde", 4) == list("abcd")


def test_a_recording_comes_once_and_the_query_s_never() -> None:
    recordings = {"a": "query", "b": "first", "c": "first", "d": "second", "query": "query"}

    def is_same(one: str, other: str) -> bool:
        return recordings[one] == recordings[other]

    selection = Selection(by_artists(*[""] * 4), is_same, most=1)
    assert selection.choose("abcd", 4, without=["query"]) == ["b", "d"]


def test_a_recording_is_not_chosen_again_from_below_the_line() -> None:
    credited = by_artists("Abba", "Abba", "Abba")
    selection = Selection(credited, lambda one, other: {one, other} == {"b", "c"}, most=1)
    assert selection.choose("abc", 3) == ["a", "b"]


def test_what_is_beyond_the_cap_in_a_given_order_is_told() -> None:
    selection = Selection(by_artists("Abba", "Abba", "Abba", "Cher"), never, most=2)
    assert selection.beyond_cap("abcd") == {"c"}
    assert selection.beyond_cap("cbad") == {"a"}
    assert selection.beyond_cap("bcd") == set()


def test_of_a_recording_the_first_is_kept() -> None:
    selection = Selection({}, lambda one, other: {one, other} <= {"a", "c", "e"}, most=1)
    assert selection.distinct("dcbeab") == ["d", "c", "b"]


artists = st.lists(st.sampled_from(["", "Abba", "ABBA ", "Blur", "Cher"]), max_size=12)


@given(artists, st.integers(0, 12), st.integers(0, 3))
def test_a_list_is_never_shorter_for_the_cap_and_none_that_is_allowed_comes_below_one_that_is_not(
    names: list[str], size: int, most: int
) -> None:
    credited = by_artists(*names)
    chosen = Selection(credited, never, most).choose(credited, size)

    assert len(chosen) == len(set(chosen)) == min(size, len(credited))
    counts: Counter[str] = Counter()
    is_over = []
    for track in chosen:
        artist = credited[track].artist.strip().casefold()
        is_over.append(bool(artist) and most > 0 and counts[artist] >= most)
        counts[artist] += 1
    assert is_over == sorted(is_over), "the line has the allowed above and the others below"
    allowed = [track for track, over in zip(chosen, is_over, strict=True) if not over]
    assert allowed == sorted(allowed), "best first above the line"
    assert chosen[len(allowed) :] == sorted(chosen[len(allowed) :]), "and below it"


@given(artists, st.integers(1, 12))
def test_a_ranking_is_read_no_further_than_needed(names: list[str], size: int) -> None:
    credited = by_artists(*names)
    ranked = iter(credited)
    Selection(credited, never, most=0).choose(ranked, size)
    assert len(list(ranked)) >= max(0, len(credited) - size - 1)


def test_a_list_is_chosen_of_more_tracks_than_it_holds() -> None:
    assert considered(5) > 5
