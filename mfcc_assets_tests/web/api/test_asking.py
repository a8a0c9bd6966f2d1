"""Tests of what a request asks for."""

from typing import Annotated, Any

import pytest
from flask import Flask
from pydantic import Field
from werkzeug.exceptions import HTTPException

from mfcc_assets.web.api.asking import WRITTEN, asked, sent
from mfcc_assets.web.api.models import Model


class Query(Model):
    count: Annotated[int, Field(ge=1, le=5), WRITTEN] = 3
    seed: list[str] = Field(default_factory=list, max_length=2)
    word: str = Field("", max_length=4)


class Body(Model):
    count: int = Field(ge=1)


def refused(ask: Any, model: type[Model], address: str = "/", **request: Any) -> Any:
    with Flask(__name__).test_request_context(address, **request), pytest.raises(HTTPException) as raised:
        ask(model)
    return raised.value.get_response()


def test_parameters_have_the_types_of_the_model() -> None:
    with Flask(__name__).test_request_context("/?count=5&seed=a&seed=b&word=four"):
        assert asked(Query) == Query(count=5, seed=["a", "b"], word="four")
    with Flask(__name__).test_request_context("/"):
        assert asked(Query) == Query()


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("count=0", "count"),
        ("count=6", "count"),
        ("count=1.0", "count"),
        ("count=%201", "count"),
        ("count=1_0", "count"),
        ("count=", "count"),
        ("count=" + "9" * 5000, "count"),
        ("count=1&count=1", "count"),
        ("seed=a&seed=b&seed=c", "seed"),
        ("word=fives", "word"),
        ("unknown=1", "unknown"),
        ("%00=1", "\ufffd"),
    ],
)
def test_whatever_the_description_does_not_allow_is_refused_and_named(query: str, where: str) -> None:
    response = refused(asked, Query, f"/?{query}")

    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert [fault["where"] for fault in response.get_json()["errors"]] == [where]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": "", "content_type": "application/json"}, 400),
        ({"data": '{"count": 1}', "content_type": "text/plain"}, 415),
        ({"json": []}, 422),
        ({"data": "null", "content_type": "application/json"}, 422),
        ({"json": {"count": "1"}}, 422),
        ({"json": {"count": True}}, 422),
        ({"json": {"count": 0}}, 422),
        ({"json": {"count": 1, "more": 1}}, 422),
        ({"json": {}}, 422),
    ],
)
def test_a_body_that_the_description_does_not_allow_is_refused(request_: dict[str, Any], status: int) -> None:
    assert refused(sent, Body, method="POST", **request_).status_code == status


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 50_000, b'{"count": ' + b"9" * 5000 + b"}", b""])
def test_a_body_that_is_no_json_is_told_in_words(body: bytes) -> None:
    request = {"method": "POST", "data": body, "content_type": "application/json"}
    with Flask(__name__).test_request_context("/", **request), pytest.raises(HTTPException) as raised:
        sent(Body)
    assert (raised.value.code, raised.value.description) == (400, "The body cannot be read as JSON.")


def test_a_body_that_is_allowed_is_read() -> None:
    with Flask(__name__).test_request_context("/", method="POST", json={"count": 2}):
        assert sent(Body) == Body(count=2)
