"""The states of a soundtrack."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.storage.sql.records import Soundtrack


@given(st.text(), st.integers(0, 20))
def test_a_soundtrack_is_in_exactly_one_state(note, version):
    row = asdict(Soundtrack("t", "b", 1, "1", "", "", "", "", "", None, None, None, note))
    track = Soundtrack(**row | {"audio_id": "a" if version % 2 else None, "analysed_digest": str(version)})
    assert [track.is_waiting, track.is_rejected, track.state == "analysed"].count(True) == 1
