import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio

IDS = st.text("0123456789abcdef", min_size=1, max_size=6)


@given(st.lists(IDS))
def test_an_array_holds_the_ids_it_was_made_of(ids):
    array = IdArray.of(ids)
    assert len(array) == len(ids)
    assert list(array) == ids
    assert [array[row] for row in range(len(ids))] == ids
    assert list(array[1:3]) == ids[1:3]


def test_memory_mapped_ids_can_be_read(tmp_path):
    np.save(tmp_path / "ids.npy", IdArray.of(["a0", "b1"]).array)
    assert list(IdArray(np.load(tmp_path / "ids.npy", mmap_mode="r"))) == ["a0", "b1"]


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([[b"a"]]), np.zeros(3)])
def test_an_array_of_another_type_or_shape_is_refused(array):
    with pytest.raises(ValueError, match="one array of bytes"):
        IdArray(array)


@given(st.dictionaries(IDS, IDS), st.lists(IDS))
def test_the_mapping_equals_the_dictionary_it_was_made_of(tracks, others):
    found = TrackOfAudio.of(tracks)
    assert found == tracks
    assert list(found) == sorted(tracks)
    assert dict(found.items()) == tracks
    for audio in others:
        assert found.get(audio) == tracks.get(audio)


@given(st.dictionaries(IDS, IDS), st.lists(IDS))
def test_rows_are_the_positions_of_the_audio_ids(tracks, others):
    audio_ids = sorted(tracks)
    wanted = [*others, *tracks]
    rows = TrackOfAudio.of(tracks).rows(wanted)
    assert rows.tolist() == [audio_ids.index(audio) if audio in tracks else -1 for audio in wanted]


@pytest.mark.parametrize(("audio_ids", "track_ids"), [(["a"], []), (["b", "a"], ["1", "2"]), (["a", "a"], ["1", "2"])])
def test_audio_ids_out_of_order_or_without_a_track_are_refused(audio_ids, track_ids):
    with pytest.raises(ValueError, match="ascending order"):
        TrackOfAudio(IdArray.of(audio_ids), IdArray.of(track_ids))
