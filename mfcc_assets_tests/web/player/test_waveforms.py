"""Tests of the waveforms that the player draws."""

import numpy as np
import pytest
from flask.testing import FlaskClient

from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library

RECEIVED = "2026-11-29T08:00:00+00:00"


@pytest.fixture
def audio_id(ten_tracks: Library) -> AudioId:
    found = ten_tracks.catalogue.soundtracks()[0].audio_id
    assert found is not None
    return found


@pytest.fixture
def waveform_address(ten_tracks: Library) -> str:
    return f"/tracks/{ten_tracks.catalogue.soundtracks()[0].track_id}/waveform"


def test_a_waveform_has_four_numbers_for_each_bin(
    ten_tracks: Library, pages: FlaskClient, waveform_address: str, audio_id: AudioId
) -> None:
    response = pages.get(waveform_address)

    stored = ten_tracks.features.read_waveform(audio_id)
    sent = np.frombuffer(response.data, np.uint8).reshape(-1, 4)
    np.testing.assert_array_equal(sent[:, 0], stored.peaks)
    np.testing.assert_array_equal(sent[:, 1:], stored.bands)
    assert response.headers["Cache-Control"].startswith("private, max-age=")


def test_a_browser_that_has_it_is_not_sent_it_again(pages: FlaskClient, waveform_address: str) -> None:
    tag = pages.get(waveform_address).headers["ETag"]

    again = pages.get(waveform_address, headers={"If-None-Match": tag})

    assert (again.status_code, again.data) == (304, b"")


def test_a_track_without_a_waveform_has_none_yet(
    ten_tracks: Library, pages: FlaskClient, waveform_address: str, audio_id: AudioId
) -> None:
    ten_tracks.features.delete(audio_id, ten_tracks.feature_parameters)

    response = pages.get(waveform_address)
    assert (response.status_code, response.data) == (204, b"")


@pytest.mark.parametrize(
    "address", ["/tracks/nothing/waveform", "/uploads/nothing/waveform", f"/uploads/{'0' * 32}/waveform"]
)
def test_what_does_not_exist_has_no_waveform(pages: FlaskClient, address: str) -> None:
    assert pages.get(address).status_code == 404
