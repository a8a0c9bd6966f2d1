import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio

IDS = st.text("0123456789abcdef", min_size=1, max_size=6)


@given(st.lists(IDS))
def test_ids_are_the_strings_they_were_made_of(ids):
    identifiers = IdArray.of(ids)
    assert len(identifiers) == len(ids)
    assert list(identifiers) == ids
    assert [identifiers[row] for row in range(len(ids))] == ids
    assert list(identifiers[1:3]) == ids[1:3]


def test_memory_mapped_ids_are_read_as_any(tmp_path):
    np.save(tmp_path / "ids.npy", IdArray.of(["a0", "b1"]).array)
    assert list(IdArray(np.load(tmp_path / "ids.npy", mmap_mode="r"))) == ["a0", "b1"]


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([[b"a"]]), np.zeros(3)])
def test_an_array_that_holds_no_ids_is_refused(array):
    with pytest.raises(ValueError, match="one array of bytes"):
        IdArray(array)


@given(st.dictionaries(IDS, IDS), st.lists(IDS))
def test_tracks_are_found_as_in_a_dictionary(tracks, others):
    found = TrackOfAudio.of(tracks)
    assert found == tracks
    assert list(found) == sorted(tracks)
    assert dict(found.items()) == tracks
    for audio in others:
        assert found.get(audio) == tracks.get(audio)


@given(st.dictionaries(IDS, IDS), st.lists(IDS))
def test_rows_are_those_of_the_audio_asked_for(tracks, others):
    audio_ids = sorted(tracks)
    wanted = [*others, *tracks]
    rows = TrackOfAudio.of(tracks).rows(wanted)
    assert rows.tolist() == [audio_ids.index(audio) if audio in tracks else -1 for audio in wanted]


@pytest.mark.parametrize(("audio_ids", "track_ids"), [(["a"], []), (["b", "a"], ["1", "2"]), (["a", "a"], ["1", "2"])])
def test_audio_that_is_out_of_order_or_has_no_track_is_refused(audio_ids, track_ids):
    with pytest.raises(ValueError, match="ascend"):
        TrackOfAudio(IdArray.of(audio_ids), IdArray.of(track_ids))
