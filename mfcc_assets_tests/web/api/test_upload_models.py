"""Tests of uploads as programs get them."""

import pytest
from pydantic import ValidationError

from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.web.api.upload_models import UploadProgress
from mfcc_assets.web.uploads.news import GONE


@pytest.mark.parametrize("state", [*(state.value for state in State), GONE])
def test_every_state_of_an_upload_can_be_told(state: str) -> None:
    told = UploadProgress.model_validate({"upload_id": "0f" * 16, "state": state, "shown": "none", "is_last": False})
    assert told.state == state


def test_no_other_state_can_be_told() -> None:
    with pytest.raises(ValidationError):
        UploadProgress.model_validate({"upload_id": "0f" * 16, "state": "lost", "shown": "none", "is_last": False})
