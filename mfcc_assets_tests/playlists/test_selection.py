"""The rules by which a list is chosen from a ranking."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.playlists.selection import Selection, considered_count

NO_TRACK = TrackId("")


@dataclass(frozen=True)
class Track:
    artist: str = ""
    album: str = ""
    track_id: TrackId = NO_TRACK
    artists: tuple[str, ...] = ()
    album_artist: str = ""
    blob_name: str = ""


def never(_one: str, _other: str) -> bool:
    return False


def ids(letters: str) -> list[AudioId]:
    return [AudioId(letter) for letter in letters]


def by_artists(*artists: str) -> dict[AudioId, Track]:
    """Return tracks a, b, c … by these artists."""
    return {AudioId(chr(ord("a") + number)): Track(artist) for number, artist in enumerate(artists)}


def test_a_list_has_no_more_tracks_of_an_artist_than_the_cap() -> None:
    selection = Selection(by_artists("Abba", "Abba", "Abba", "Blur", "Cher"), never, cap=2)
    assert selection.choose(ids("abcde"), 4) == ["a", "b", "d", "e"]


def test_tracks_beyond_the_cap_fill_a_list_after_all_others() -> None:
    selection = Selection(by_artists("Abba", "Abba", "Abba", "Abba", "Cher"), never, cap=2)
    assert selection.choose(ids("abcde"), 4) == ["a", "b", "e", "c"]


def test_a_compilation_is_capped_even_if_its_artists_differ() -> None:
    credited = {name: Track(name, "Songs of the Sea ", blob_name=f"Sea/{name}.mp3") for name in ids("abc")}
    credited |= {AudioId("d"): Track("d", "Other")}
    assert Selection(credited, never, cap=1).choose(ids("abcd"), 2) == ["a", "d"]


def test_guests_and_lists_of_artists_do_not_get_round_the_cap() -> None:
    credited = dict(
        zip(
            ids("abcde"),
            (
                Track("Muldjord", "One"),
                Track("Muldjord, Guest One", "Two", artists=("Muldjord", "Guest One")),
                Track("Muldjord feat. Guest Two", "Three"),
                Track("Muldjord & Guest Three", "Four"),
                Track("Cher", "Five"),
            ),
            strict=True,
        )
    )
    assert Selection(credited, never, cap=2).choose(ids("abcde"), 3) == ["a", "b", "e"]
    assert Selection(credited, never, cap=2).beyond_cap(ids("abcde")) == {"c", "d"}


def test_albums_of_the_same_title_by_several_artists_are_not_capped() -> None:
    credited = {name: Track(f"Artist {name}", "Greatest Hits") for name in ids("abcd")}
    assert Selection(credited, never, cap=1).beyond_cap(ids("abcd")) == set()


def test_tracks_of_unknown_and_various_artists_are_not_capped() -> None:
    credited = by_artists("Unknown Artist", "<unknown>", "Unknown Artist", "Various Artists", "VA", "Various")
    assert Selection(credited, never, cap=1).beyond_cap(ids("abcdef")) == set()


@pytest.mark.parametrize("spelled", ["abba", " ABBA ", "Abba\t"])
def test_artists_are_compared_without_case_and_surrounding_space(spelled: str) -> None:
    selection = Selection(by_artists("Abba", spelled, "Cher"), never, cap=1)
    assert selection.choose(ids("abc"), 2) == ["a", "c"]


def test_without_a_cap_and_without_tags_the_nearest_are_chosen() -> None:
    assert Selection(by_artists(*["Abba"] * 5), never, cap=0).choose(ids("abcde"), 4) == list("abcd")
    assert Selection(by_artists(*[" "] * 5), never, cap=1).choose(ids("abcde"), 4) == list("abcd")


def test_a_list_has_each_recording_once_and_never_that_of_the_query() -> None:
    recordings = {"a": "query", "b": "first", "c": "first", "d": "second", "query": "query"}

    def is_same(one: str, other: str) -> bool:
        return recordings[one] == recordings[other]

    selection = Selection(by_artists(*[""] * 4), is_same, cap=1)
    assert selection.choose(ids("abcd"), 4, without=[AudioId("query")]) == ["b", "d"]


def test_a_recording_is_not_chosen_again_from_the_tracks_beyond_the_cap() -> None:
    credited = by_artists("Abba", "Abba", "Abba")
    selection = Selection(credited, lambda one, other: {one, other} == {"b", "c"}, cap=1)
    assert selection.choose(ids("abc"), 3) == ["a", "b"]


def test_tracks_beyond_the_cap_are_counted_in_the_given_order() -> None:
    selection = Selection(by_artists("Abba", "Abba", "Abba", "Cher"), never, cap=2)
    assert selection.beyond_cap(ids("abcd")) == {"c"}
    assert selection.beyond_cap(ids("cbad")) == {"a"}
    assert selection.beyond_cap(ids("bcd")) == set()


def test_the_first_audio_id_of_each_recording_is_kept() -> None:
    selection = Selection({}, lambda one, other: {one, other} <= {"a", "c", "e"}, cap=1)
    assert selection.distinct(ids("dcbeab")) == ["d", "c", "b"]


artists = st.lists(st.sampled_from(["", "Abba", "ABBA ", "Blur", "Cher"]), max_size=12)


@given(artists, st.integers(0, 12), st.integers(0, 3))
def test_the_cap_never_shortens_a_list_and_tracks_beyond_it_come_last(names: list[str], size: int, cap: int) -> None:
    credited = by_artists(*names)
    chosen = Selection(credited, never, cap).choose(credited, size)

    assert len(chosen) == len(set(chosen)) == min(size, len(credited))
    counts: Counter[str] = Counter()
    is_over = []
    for track in chosen:
        artist = credited[track].artist.strip().casefold()
        is_over.append(bool(artist) and cap > 0 and counts[artist] >= cap)
        counts[artist] += 1
    assert is_over == sorted(is_over), "tracks beyond the cap come last"
    allowed = [track for track, over in zip(chosen, is_over, strict=True) if not over]
    assert allowed == sorted(allowed), "allowed tracks are in the order of the ranking"
    assert chosen[len(allowed) :] == sorted(chosen[len(allowed) :]), (
        "tracks beyond the cap are in the order of the ranking"
    )


@given(artists, st.integers(1, 12))
def test_a_ranking_is_read_no_further_than_needed(names: list[str], size: int) -> None:
    credited = by_artists(*names)
    ranked = iter(credited)
    Selection(credited, never, cap=0).choose(ranked, size)
    assert len(list(ranked)) >= max(0, len(credited) - size - 1)


def test_a_list_is_chosen_from_more_tracks_than_it_holds() -> None:
    assert considered_count(5) > 5
