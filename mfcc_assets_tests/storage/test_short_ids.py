"""Ids as half as many bytes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.storage.short_ids import lengthened, shortened

AUDIO_IDS = st.text("0123456789abcdef", min_size=32, max_size=32)
OTHERS = st.text("0123456789abcdefAFxyz", min_size=1, max_size=40)


@given(st.lists(st.one_of(AUDIO_IDS, OTHERS)))
def test_ids_are_what_they_were(ids):
    array = np.array([one.encode() for one in ids], np.bytes_)
    assert lengthened(shortened(array)).tolist() == array.tolist()


@given(st.lists(AUDIO_IDS, min_size=1))
def test_audio_ids_take_sixteen_bytes_each(ids):
    assert shortened(np.array([one.encode() for one in ids])).nbytes == 16 * len(ids)
