"""The records that `mfcc_assets.open_library` returns."""

from dataclasses import FrozenInstanceError, is_dataclass

import pytest

import mfcc_assets
from mfcc_assets import Track


def test_every_result_is_a_frozen_record():
    records = [getattr(mfcc_assets, name) for name in mfcc_assets.__all__ if is_dataclass(getattr(mfcc_assets, name))]
    assert len(records) == 6
    track = Track("0" * 16, "Ocean", "", "", None, None, "")
    with pytest.raises(FrozenInstanceError):
        track.title = "Desert"  # type: ignore[misc]  # the assignment is the test
