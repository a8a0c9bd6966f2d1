"""The texts by which pages sort, filter and search."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.audio.tags import Tags
from mfcc_assets.credits import Credits
from mfcc_assets.storage.sql.browse_keys import (
    album_key,
    artist_key,
    browse_keys,
    genre_key,
    genres_of,
    has_genre,
    search_words,
)
from mfcc_assets.storage.sql.schema import LONGEST_KEY, LONGEST_LIST

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=255)
numbers = st.none() | st.integers(-5, 10**9)


def sorted_titles(order: str, *tags: Tags) -> list[str]:
    return [each.title for each in sorted(tags, key=lambda each: getattr(browse_keys(each, "file.mp3"), order))]


def title_keys(*titles: str) -> list[str]:
    return [browse_keys(Tags(title=title), "").by_title for title in titles]


@pytest.mark.parametrize(
    "titles",
    [
        ["Abend", "Ångström", "azur", "Z"],
        ["Éclair", "eclipse", "Zebra"],
        ["cafe", "Café", "cafe noir"],
        ["a b", "ab"],
        ["夜", "海"],
    ],
)
def test_titles_sort_without_regard_to_case_and_with_accents_beside_their_letters(titles: list[str]) -> None:
    assert title_keys(*titles) == sorted(title_keys(*titles))


def test_an_album_is_played_by_disc_and_track_number() -> None:
    def track(title: str, disc: int | None, number: int | None) -> Tags:
        return Tags(title=title, artist="A", album="B", album_artist="A", disc_number=disc, track_number=number)

    tracks = track("c", 1, 2), track("b", 1, 10), track("d", 2, 1), track("a", None, 1), track("e", None, None)
    for order in ("by_artist", "by_album", "by_year"):
        assert sorted_titles(order, *tracks) == ["c", "b", "d", "a", "e"]


def test_the_last_year_is_first_and_what_is_missing_is_last() -> None:
    tags = Tags(title="none"), Tags(title="old", year=1950, album="B"), Tags(title="new", year=2024, album="A")
    assert sorted_titles("by_year", *tags) == ["new", "old", "none"]
    assert sorted_titles("by_album", *tags) == ["new", "old", "none"]


def test_a_track_without_a_title_sorts_and_is_searched_by_its_file() -> None:
    keys = browse_keys(Tags(), "Música/Ocean.mp3")
    assert keys.by_title.startswith("musica/ocean.mp3")
    assert "ocean" in keys.search_text
    assert "ocean" not in browse_keys(Tags(title="Sea"), "Ocean.mp3").search_text


def test_an_artist_has_one_key_with_and_without_guests_and_articles() -> None:
    names = ["The Beatles", "beatles", "Beatles, The", "The Beatles feat. Billy Preston"]
    assert {artist_key(name) for name in names} == {"beatles"}
    assert artist_key("Unknown Artist") == artist_key("") == ""
    assert artist_key("Müller") != artist_key("Muller")


def test_a_compilation_in_one_folder_is_one_album() -> None:
    def key(artist: str, name: str, **more: Any) -> str:
        return album_key(Credits(artist, album="Summer", blob_name=name, **more))

    assert key("A", "summer/1.mp3") == key("B", "summer/2.mp3") != key("A", "winter/1.mp3")
    assert key("A", "x/1.mp3", album_artist="C") == key("B", "y/2.mp3", album_artist="C")
    assert album_key(Credits("A", blob_name="summer/1.mp3")) == ""


def test_a_soundtrack_has_each_of_its_genres_and_no_part_of_one() -> None:
    keys = browse_keys(Tags(genre="Hip-Hop, Acid Jazz; hip-hop"), "").genre_keys
    assert has_genre("hip-hop") in keys
    assert has_genre("ACID JAZZ") in keys
    assert has_genre("jazz") not in keys
    assert genres_of("Hip-Hop, Acid Jazz; hip-hop") == ["Hip-Hop", "Acid Jazz"]
    assert genres_of(" , ") == []
    assert browse_keys(Tags(), "").genre_keys == ""


@given(words, words, words, words, words, numbers, numbers, numbers)
def test_every_text_fits_its_column(
    title: str, artist: str, album: str, genre: str, name: str, year: int | None, track: int | None, disc: int | None
) -> None:
    tags = Tags(title, artist, album, genre, track, year, artist, (artist, title), disc)
    keys = vars(browse_keys(tags, name))
    assert {key for key, text in keys.items() if len(text.encode("utf-16-le")) > 2 * LONGEST_KEY} <= {"search_text"}
    assert len(keys["search_text"].encode("utf-16-le")) <= 2 * LONGEST_LIST


@given(words, words, st.data())
def test_a_soundtrack_is_found_by_every_word_of_its_title(title: str, artist: str, data: st.DataObject) -> None:
    keys = browse_keys(Tags(title=title, artist=artist), "x")
    word = data.draw(st.sampled_from(title.split() or ["x"]))
    assert all(found in keys.search_text for found in search_words(word) if title.isprintable())


def test_keys_that_are_too_long_stay_different() -> None:
    one, other = (artist_key("é" * 250 + end) for end in "xy")
    assert one != other


@pytest.mark.parametrize("search", ["", "   ", "\u200b"])
def test_a_search_for_nothing_has_no_words(search: str) -> None:
    assert search_words(search) == []


def test_of_a_very_long_search_only_the_beginning_counts() -> None:
    assert search_words("word " * 50) == ["word"] * 10
    assert search_words("x" * 10_000) == ["x" * 255]


def test_what_no_database_takes_is_not_in_the_words_of_a_search() -> None:
    assert search_words("a\x00b \ud800") == ["a\ufffdb", "\ufffd"]


def test_a_genre_is_compared_without_case() -> None:
    assert genre_key("Drum & Bass") == genre_key("drum & bass")
