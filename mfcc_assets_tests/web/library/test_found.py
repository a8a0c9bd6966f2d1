"""Tests of what a page of the library is asked for."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.ids import TrackId
from mfcc_assets.web.library.found import choice_asked, number_asked, text_asked, tracks_named


@pytest.mark.parametrize(("asked", "number"), [("5", 5), ("-3", 1), ("999", 9), ("x", 4), ("", 4), ("1.5", 4)])
def test_a_number_is_moved_into_its_bounds(pages: FlaskClient, asked: str, number: int) -> None:
    with pages.application.test_request_context(f"/?count={asked}"):
        assert number_asked("count", 4, 1, 9) == number


def test_texts_and_choices_are_read_from_the_address(pages: FlaskClient) -> None:
    with pages.application.test_request_context("/?search=%20abc%20&order=b"):
        assert text_asked("search", longest=2) == "ab"
        assert choice_asked("order", "ab", "a") == "b"
        assert choice_asked("other", "ab", "a") == "a"


def test_tracks_are_found_once_each_and_unknown_ones_are_left_out(pages: FlaskClient, songs: list[TrackId]) -> None:
    with pages.application.test_request_context(f"/?seed={songs[1]}&seed=none&seed={songs[0]}&seed={songs[1]}"):
        assert [track.track_id for track in tracks_named("seed", 5)] == [songs[1], songs[0]]
