"""Tests of the examples of models."""

import pytest
from pydantic import BaseModel, Field

from mfcc_assets.web.api.examples import example_of


class Inner(BaseModel):
    number: int = Field(examples=[7])


class Outer(BaseModel):
    one: Inner
    several: list[Inner]
    perhaps: Inner | None
    name: str = Field(alias="from", examples=["a"])


def test_an_example_has_the_names_of_the_json() -> None:
    inner = {"number": 7}
    assert example_of(Outer) == {"one": inner, "several": [inner], "perhaps": inner, "from": "a"}


def test_a_field_without_an_example_is_told() -> None:
    class Lacking(BaseModel):
        number: int

    with pytest.raises(ValueError, match="the field number has no example"):
        example_of(Lacking)
