"""Tests of the tracks of a shared answer."""

import re

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets_tests.web.uploads.answered import answered


@pytest.fixture
def link(ten_tracks: Library, pages: FlaskClient, song: bytes) -> str:
    upload = answered(ten_tracks, pages, song)
    address: str = pages.post(f"/uploads/{upload}/share", headers={"Accept": "application/json"}).get_json()["address"]
    return address


@pytest.mark.parametrize("file", ["tracks/{}/audio", "tracks/{}/artwork", "tracks/{}/waveform", "why/{}"])
def test_only_the_tracks_of_the_answer_are_shared(
    ten_tracks: Library, pages: FlaskClient, link: str, file: str
) -> None:
    shared = set(re.findall(r"/why/([0-9a-f]+)", pages.get(link).text))
    everything = {track.track_id for track in ten_tracks.catalogue.soundtracks()}
    assert shared < everything

    codes = {track: pages.get(f"{link}/{file.format(track)}").status_code for track in everything}
    assert {track for track, code in codes.items() if code < 400} == shared
    assert {code for code in codes.values() if code >= 400} == {404}


def test_a_link_that_has_ended_shares_no_track(pages: FlaskClient, link: str) -> None:
    (track, *_) = re.findall(r"/why/([0-9a-f]+)", pages.get(link).text)

    assert pages.get(f"/shared/{'a' * 86}/tracks/{track}/artwork").status_code == 404
