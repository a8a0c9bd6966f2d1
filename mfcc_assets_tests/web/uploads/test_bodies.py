"""Tests of the file in the body of a request."""

import io

import pytest
from flask import request

from mfcc_assets.library import Library
from mfcc_assets.web.app import create_app
from mfcc_assets.web.uploads.bodies import form_body, raw_body
from mfcc_assets.web.uploads.refusals import Refused

CONTENT = bytes(range(256)) * 1600
"""Less than what the client of the tests would put into a file of its own."""


def test_a_raw_body_is_the_file_and_the_address_names_it(library: Library) -> None:
    with create_app(library).test_request_context("/uploads?name=a%2Fsong.mp3", method="PUT", data=CONTENT):
        body = raw_body(request)
        assert (body.name, b"".join(body.blocks)) == ("a/song.mp3", CONTENT)


@pytest.mark.parametrize("beside", [{}, {"other": "a field"}, {"aaa": "in front", "zzz": "behind"}])
def test_a_form_has_the_file_among_other_fields(library: Library, beside: dict[str, str]) -> None:
    data = {**beside, "file": (io.BytesIO(CONTENT), "song.mp3")}
    with create_app(library).test_request_context("/uploads", method="POST", data=data):
        body = form_body(request)
        assert (body.name, b"".join(body.blocks)) == ("song.mp3", CONTENT)


def test_a_form_is_read_block_by_block(library: Library) -> None:
    data = {"file": (io.BytesIO(CONTENT), "song.mp3")}
    with create_app(library).test_request_context("/uploads", method="POST", data=data):
        assert max(map(len, form_body(request).blocks)) < len(CONTENT) / 2


@pytest.mark.parametrize("data", [{}, {"file": "a text"}, {"file": (io.BytesIO(b""), "")}])
def test_a_form_without_a_file_is_refused(library: Library, data: dict[str, object]) -> None:
    with (
        create_app(library).test_request_context(
            "/uploads", method="POST", data=data, content_type="multipart/form-data"
        ),
        pytest.raises(Refused, match="Choose a file"),
    ):
        form_body(request)


def test_a_form_that_is_cut_is_refused(library: Library) -> None:
    data = {"file": (io.BytesIO(CONTENT), "song.mp3")}
    app = create_app(library)
    with app.test_request_context("/uploads", method="POST", data=data):
        request.max_content_length = 2 * len(CONTENT)
        whole, kind = request.get_data(cache=False), request.content_type
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(whole))}
    with (
        app.test_request_context(
            "/uploads",
            method="POST",
            input_stream=io.BytesIO(whole[:-1000]),
            content_type=kind,
            environ_overrides=environ,
        ),
        pytest.raises(Refused, match="Only a part"),
    ):
        list(form_body(request).blocks)


def test_a_raw_body_that_is_cut_is_refused_where_the_server_ends_it_silently(library: Library) -> None:
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(CONTENT))}
    with (
        create_app(library).test_request_context(
            "/uploads", method="PUT", input_stream=io.BytesIO(CONTENT[:-1]), environ_overrides=environ
        ),
        pytest.raises(Refused, match="Only a part"),
    ):
        list(raw_body(request).blocks)


def test_a_whole_body_is_taken_where_the_server_ends_it_silently(library: Library) -> None:
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(CONTENT))}
    with create_app(library).test_request_context(
        "/uploads", method="PUT", input_stream=io.BytesIO(CONTENT), environ_overrides=environ
    ):
        assert b"".join(raw_body(request).blocks) == CONTENT


def _form(*parts: bytes, end: bytes = b"--edge--\r\n") -> bytes:
    head = b'--edge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    named = [head % (b"field", b"", part) for part in parts]
    return b"".join(named) + head % (b"file", b'; filename="song.mp3"', CONTENT) + end


@pytest.mark.parametrize(
    ("content", "boundary"),
    [
        (_form(end=b""), "edge"),
        (_form(end=b"--edge\r\n"), "edge"),
        (_form(*[b"x"] * 16), "edge"),
        (_form(), "another"),
        (_form(), "\u00e9dge"),
        (b"--edge\r\nno disposition\r\n\r\nx\r\n--edge--\r\n", "edge"),
        (_form(end=b"--edge--\r\n" + bytes(400_000)), "edge"),
    ],
)
def test_a_damaged_form_is_refused_in_words(library: Library, content: bytes, boundary: str) -> None:
    with (
        create_app(library).test_request_context(
            "/uploads", method="POST", data=content, content_type=f'multipart/form-data; boundary="{boundary}"'
        ),
        pytest.raises(Refused, match="The form is damaged") as refused,
    ):
        list(form_body(request).blocks)
    assert refused.value.code == 400


def test_a_whole_form_may_have_fields_in_front_of_the_file(library: Library) -> None:
    with create_app(library).test_request_context(
        "/uploads",
        method="POST",
        data=_form(*[b"x"] * 15),
        content_type="multipart/form-data; boundary=edge",
    ):
        assert b"".join(form_body(request).blocks) == CONTENT
