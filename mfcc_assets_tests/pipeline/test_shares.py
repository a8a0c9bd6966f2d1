"""Links that share the answer to an upload."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.pipeline.shares import (
    LONGEST_SHARE_SECONDS,
    MOST_SHARES,
    revoke_shares,
    share_upload,
    shared_document,
    shared_until,
)
from mfcc_assets.settings import Settings
from mfcc_assets_tests.upload_steps import answer_uploads

UPLOAD, OTHER = UploadId("0f" * 16), UploadId("1e" * 16)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def answered(library: Library) -> Library:
    """A library with the documents of two uploads."""
    for upload in (UPLOAD, OTHER):
        body = {"state": "ranked", "received": NOW.isoformat(), "file_name": "song.mp3", "run_id": "run"}
        library.documents.put(upload, body)
    return library


def test_a_token_shows_its_upload_until_its_time_has_passed(answered: Library) -> None:
    token = share_upload(answered, UPLOAD, seconds=60, now=NOW)
    other = share_upload(answered, OTHER, seconds=3600, now=NOW)

    assert shared_document(answered, token, now=NOW + timedelta(seconds=59)).id == UPLOAD
    assert shared_document(answered, other, now=NOW + timedelta(seconds=61)).id == OTHER
    with pytest.raises(DocumentNotFound, match="no longer"):
        shared_document(answered, token, now=NOW + timedelta(seconds=60))


def test_a_token_tells_neither_the_upload_nor_is_it_stored(answered: Library) -> None:
    tokens = [share_upload(answered, UPLOAD, seconds=60, now=NOW) for _ in range(3)]
    stored = json.dumps(answered.documents.get(UPLOAD).body)

    assert len(set(tokens)) == 3
    for token in tokens:
        assert len(token) >= 80
        assert UPLOAD not in token
        assert token not in stored
        assert shared_document(answered, token, now=NOW).id == UPLOAD


@pytest.mark.parametrize("made_up", ["", "a", "%", "ü", "A" * 86, "../" * 20])
def test_a_made_up_token_shows_nothing(answered: Library, made_up: str) -> None:
    with pytest.raises(DocumentNotFound):
        shared_document(answered, made_up, now=NOW)


def test_an_altered_token_shows_nothing(answered: Library) -> None:
    token = share_upload(answered, UPLOAD, seconds=60, now=NOW)
    for place in range(len(token)):
        altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(DocumentNotFound):
            shared_document(answered, altered, now=NOW)


def test_a_token_of_another_library_shows_nothing(answered: Library, tmp_path: Path) -> None:
    token = share_upload(answered, UPLOAD, seconds=60, now=NOW)
    with Library(Settings(home=tmp_path / "other")) as other:
        other.documents.put(UPLOAD, answered.documents.get(UPLOAD).body)
        with pytest.raises(DocumentNotFound):
            shared_document(other, token, now=NOW)


def test_revoking_ends_all_links_of_one_upload(answered: Library) -> None:
    tokens = [share_upload(answered, UPLOAD, seconds=60, now=NOW) for _ in range(2)]
    other = share_upload(answered, OTHER, seconds=60, now=NOW)

    revoke_shares(answered, UPLOAD)

    for token in tokens:
        with pytest.raises(DocumentNotFound):
            shared_document(answered, token, now=NOW)
    assert shared_document(answered, other, now=NOW).id == OTHER
    assert shared_until(answered.documents.get(UPLOAD).body, now=NOW) is None


def test_links_that_have_ended_are_forgotten_with_the_next_one(answered: Library) -> None:
    share_upload(answered, UPLOAD, seconds=60, now=NOW)
    share_upload(answered, UPLOAD, seconds=60, now=NOW + timedelta(hours=1))
    body = answered.documents.get(UPLOAD).body
    assert len(body["shares"]) == 1
    assert shared_until(body, now=NOW) == NOW + timedelta(hours=1, minutes=1)


@pytest.mark.parametrize("seconds", [0, -1, LONGEST_SHARE_SECONDS + 1])
def test_nothing_is_shared_for_no_time_or_for_ever(answered: Library, seconds: float) -> None:
    with pytest.raises(ValueError, match="is shared for up to"):
        share_upload(answered, UPLOAD, seconds=seconds)


def test_an_unknown_upload_cannot_be_shared(library: Library) -> None:
    for share in (lambda: share_upload(library, UPLOAD, seconds=60), lambda: revoke_shares(library, UPLOAD)):
        with pytest.raises(DocumentNotFound):
            share()


def test_links_outlive_another_answer_and_end_with_the_upload(ten_tracks: Library, query: Path) -> None:
    ten_tracks.blobs.upload_file("uploads", f"{UPLOAD}/query.flac", query)
    answer_uploads(ten_tracks, [UPLOAD])
    token = share_upload(ten_tracks, UPLOAD, seconds=60)
    answer_uploads(ten_tracks, [UPLOAD])
    assert shared_document(ten_tracks, token).id == UPLOAD

    purge_upload(ten_tracks, UPLOAD)
    with pytest.raises(DocumentNotFound):
        shared_document(ten_tracks, token)


def test_the_oldest_of_very_many_links_ends(answered: Library) -> None:
    tokens = [share_upload(answered, UPLOAD, seconds=60, now=NOW) for _ in range(MOST_SHARES + 1)]

    assert shared_document(answered, tokens[1], now=NOW).id == UPLOAD
    with pytest.raises(DocumentNotFound):
        shared_document(answered, tokens[0], now=NOW)
