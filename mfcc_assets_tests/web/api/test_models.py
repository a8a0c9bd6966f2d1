"""Tests of what the models have in common."""

import pytest
from pydantic import ValidationError

from mfcc_assets.web.api.models import Fault, Totals


def test_texts_of_files_are_made_printable() -> None:
    from mfcc_assets.web.api.track_models import Genre

    genre = Genre(name="a\u202eb\x1b\ud800", totals=Totals(tracks=1, seconds=1.0))

    assert genre.name == "ab\ufffd\ufffd"
    assert genre.model_dump_json() == '{"name":"ab��","totals":{"tracks":1,"seconds":1.0}}'


def test_nothing_is_added_and_no_type_is_guessed() -> None:
    with pytest.raises(ValidationError):
        Totals.model_validate({"tracks": 1, "seconds": 1.0, "more": 1})
    with pytest.raises(ValidationError):
        Totals.model_validate({"tracks": "1", "seconds": 1.0})
    assert Fault(where="limit", detail="wrong").where == "limit"
