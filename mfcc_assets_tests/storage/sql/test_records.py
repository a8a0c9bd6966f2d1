"""The states of a soundtrack."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import TrackId
from mfcc_assets.storage.sql.records import Soundtrack

TRACK = TrackId("t")


@given(st.text(), st.integers(0, 20))
def test_a_soundtrack_is_in_exactly_one_state(note, version):
    row = asdict(Soundtrack(TRACK, "b", 1, "1", "", "", "", "", "", None, None, None, note))
    track = Soundtrack(**row | {"audio_id": "a" if version % 2 else None, "analysed_digest": str(version)})
    assert [track.is_waiting, track.is_rejected, track.state == "analysed"].count(True) == 1


@pytest.mark.parametrize(
    ("title", "artist", "name"), [("", "", "a.mp3"), ("Ocean", "", "Ocean"), ("Ocean", "Will", "Ocean by Will")]
)
def test_a_soundtrack_is_displayed_by_title_and_artist_or_by_its_file_name(title, artist, name):
    track = Soundtrack(TRACK, "a.mp3", 1, "1", title, artist, "", "", "", None, None, None, "")
    assert track.display_name == name
    assert track.display_title == (title or "a.mp3")
