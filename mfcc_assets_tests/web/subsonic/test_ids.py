"""Tests of the ids that players send back."""

from mfcc_assets.credits import Credits
from mfcc_assets.web.subsonic import ids


def test_ids_of_artists_and_albums_say_what_they_are() -> None:
    song = Credits("Zoë feat. Bo", album="Air", blob_name="air/1.mp3")
    assert ids.artist_of(song) == ids.artist_named("ZOË")
    assert ids.after_prefix(ids.ARTIST, ids.artist_of(song))
    assert ids.after_prefix(ids.ALBUM, ids.album_of(song))
    assert ids.after_prefix(ids.ALBUM, ids.artist_of(song)) is None
