"""Tests of tracks as programs get them."""

from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.web.api.track_models import Near, Track
from mfcc_assets.web.cards import Card

CARD = Card(track_id="0f" * 8, title="Ocean", page="/tracks/0f", audio="/a", artwork="/b", seconds=2.5)


def test_a_track_is_told_as_pages_show_it() -> None:
    track = Track.of(CARD)
    assert (track.track_id, track.title, track.artist, track.year, track.seconds) == ("0f" * 8, "Ocean", "", None, 2.5)


def test_the_nearness_is_told_in_numbers_and_words_unless_the_library_is_small() -> None:
    near = Near.of_track(CARD, 0.25, Nearness(0.999))
    assert (near.distance, near.closer_than, near.nearness) == (0.25, 0.999, Nearness(0.999).word)
    unknown = Near.of_track(CARD, 0.25, None)
    assert (unknown.closer_than, unknown.nearness) == (None, None)
