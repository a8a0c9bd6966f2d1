"""Frames that are collected in a file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.search.frame_spool import FrameSpool


@given(st.lists(st.integers(1, 9), max_size=8), st.sampled_from([np.float16, np.float32]))
@settings(max_examples=30)
def test_the_frames_of_each_track_are_those_that_were_added(lengths: list[int], dtype: type[np.floating]):
    rng = np.random.default_rng(len(lengths))
    tracks = [rng.standard_normal((length, 3)).astype(np.float32) for length in lengths]
    spool = FrameSpool(np.dtype(dtype), 3)
    for track in tracks:
        spool.append(track)
    frames, starts = spool.mapped()
    assert (frames.dtype, starts.dtype) == (np.dtype(dtype), np.dtype(np.int64))
    assert frames.shape == (sum(lengths), 3)
    for row, track in enumerate(tracks):
        np.testing.assert_array_equal(frames[starts[row] : starts[row + 1]], track.astype(dtype))


def test_frames_that_are_not_contiguous_are_added_in_their_order():
    track = np.arange(12, dtype=np.float32).reshape(3, 4).T
    spool = FrameSpool(np.dtype(np.float32), 3)
    spool.append(track)
    np.testing.assert_array_equal(spool.mapped()[0], track)


def test_no_frames_can_be_added_after_the_end():
    spool = FrameSpool(np.dtype(np.float32), 2)
    spool.mapped()
    with pytest.raises(ValueError, match="closed file"):
        spool.append(np.ones((1, 2), np.float32))


def test_mapped_frames_cannot_be_changed():
    spool = FrameSpool(np.dtype(np.float32), 2)
    spool.append(np.ones((1, 2), np.float32))
    frames, _ = spool.mapped()
    with pytest.raises(ValueError, match="read-only"):
        frames[0] = 2
