"""Bytes with a checksum behind them."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mfcc_assets.storage.checked_bytes import with_checksum, without_checksum


@given(st.binary())
def test_what_was_written_can_be_read(content: bytes) -> None:
    assert without_checksum(with_checksum(content)) == content


def test_every_changed_bit_is_noticed() -> None:
    written = with_checksum(b"a picture")
    for bit in range(8 * len(written)):
        changed = bytearray(written)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="not what was written"):
            without_checksum(bytes(changed))


@pytest.mark.parametrize("damaged", [b"", bytes(4), bytes(400), with_checksum(b"a picture")[:-1], b"a picture"])
def test_what_was_cut_off_or_has_no_checksum_is_noticed(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="not what was written"):
        without_checksum(damaged)


def test_a_picture_with_its_checksum_can_be_shown() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(picture, format="png")
    with Image.open(io.BytesIO(with_checksum(picture.getvalue()))) as shown:
        shown.load()
        assert shown.getpixel((29, 19)) == (0, 128, 128)
