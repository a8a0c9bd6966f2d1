"""Tests of the way of a file into the store of uploads."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.music_names import is_companion
from mfcc_assets.storage.blobs.names import check_name
from mfcc_assets.web.app import create_app
from mfcc_assets.web.uploads.bodies import Body
from mfcc_assets.web.uploads.refusals import Refused
from mfcc_assets.web.uploads.storing import store_upload, upload_name

UPLOAD = UploadId("0f" * 16)


def _stored(library: Library) -> list[str]:
    return [blob.name for blob in library.blobs.list("uploads")]


def _blocks(content: bytes) -> Iterator[bytes]:
    return (content[start : start + 100] for start in range(0, len(content), 100))


@given(st.text(max_size=2000))
def test_every_name_becomes_one_that_a_blob_can_have_and_the_sensor_takes(given_name: str) -> None:
    name = upload_name(given_name)

    check_name(f"{UPLOAD}/{name}")
    assert "/" not in name
    assert not is_companion(f"{UPLOAD}/{name}")


def test_a_file_is_stored_as_it_came(library: Library, song: bytes) -> None:
    store_upload(library, UPLOAD, Body("song.flac", _blocks(song)))

    assert library.blobs.read("uploads", f"{UPLOAD}/song.flac") == song


@pytest.mark.parametrize("front", [bytes(50_000), b"ID3\x04\x00\x00\x00\x03\x00\x00" + bytes(3 << 14)])
def test_a_tag_or_zeros_in_front_of_the_music_pass(library: Library, song: bytes, front: bytes) -> None:
    store_upload(library, UPLOAD, Body("song.flac", _blocks(front + song)))

    assert library.blobs.read("uploads", f"{UPLOAD}/song.flac") == front + song


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"<html><script>alert(1)</script>" * 300, "text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9000), "a picture"),
        (b"PK\x03\x04" + bytes(9000), "a ZIP archive"),
        (bytes(range(128, 256)) * 100, "no kind of audio"),
    ],
)
def test_what_is_no_audio_is_refused_with_what_it_is(library: Library, content: bytes, told: str) -> None:
    with create_app(library).test_request_context(), pytest.raises(Refused, match=told) as refused:
        store_upload(library, UPLOAD, Body("song.mp3", _blocks(content)))

    assert refused.value.code == 415
    assert _stored(library) == []


def test_no_more_than_the_first_bytes_are_taken_of_what_is_no_audio(library: Library) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1024
            yield b"text" * 256

    with create_app(library).test_request_context(), pytest.raises(Refused):
        store_upload(library, UPLOAD, Body("song.mp3", endless()))
    assert taken <= 4096


def test_a_file_whose_end_does_not_come_is_not_stored(library: Library, song: bytes) -> None:
    def cut() -> Iterator[bytes]:
        yield from _blocks(song[: len(song) // 2])
        raise Refused(400, "cut")  # type: ignore[arg-type]

    with pytest.raises(Refused):
        store_upload(library, UPLOAD, Body("song.flac", cut()))
    assert _stored(library) == []
