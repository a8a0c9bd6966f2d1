"""Ids of artists and albums, as music players keep them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.credits import Credits
from mfcc_assets.storage.sql.player_ids import (
    NOBODY,
    AlbumKey,
    artist_id_of,
    artist_id_of_name,
    id_of_album,
    id_of_artist,
    key_of_album,
    key_of_artist,
    player_album_id_of,
)

KEYS = st.text(st.characters(exclude_characters="\x00\x1c", exclude_categories=["Cs"]), max_size=60)


@given(KEYS)
def test_an_id_leads_back_to_its_artist_in_letters_that_an_address_can_have(key: str) -> None:
    assert key_of_artist(id_of_artist(key)) == key
    assert set(id_of_artist(key)) <= set(string.ascii_letters + string.digits + "-_")


@given(KEYS, KEYS)
def test_an_id_leads_back_to_its_album(album: str, artist: str) -> None:
    key = AlbumKey(album, "" if album else artist)
    assert key_of_album(id_of_album(key)) == key


@pytest.mark.parametrize("written", ["", "?", "a b", "é", "====", "AAAA", "_" * 9000])
def test_what_is_no_id_has_no_key(written: str) -> None:
    assert key_of_artist(written) is None
    assert key_of_album(written) is None


def test_the_id_of_an_artist_does_not_change_with_the_spelling() -> None:
    one, other = Credits("The Beatles"), Credits("beatles feat. Billy Preston")
    assert artist_id_of(one) == artist_id_of(other) == artist_id_of_name("BEATLES")
    assert artist_id_of(Credits("Unknown Artist")) == NOBODY


def test_songs_on_no_album_are_one_album_of_each_artist() -> None:
    songs = [Credits("A", blob_name="x/1.mp3"), Credits("A", blob_name="y/2.mp3"), Credits("B"), Credits("")]
    one, again, other, nobody = map(player_album_id_of, songs)
    assert one == again
    assert len({one, other, nobody}) == 3
