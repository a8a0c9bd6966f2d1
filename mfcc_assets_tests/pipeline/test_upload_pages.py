"""Tests of the uploads of a sender, page by page."""

from datetime import UTC, datetime, timedelta

import pytest

from mfcc_assets.errors import NotACursor
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline import upload_pages
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_pages import uploads_page
from mfcc_assets.pipeline.upload_source import Source


def record(library: Library, count: int) -> list[UploadId]:
    """Write documents of uploads, and return their ids, the last received first."""
    for number in range(count):
        received = (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()
        waiting = UploadDocument.waiting(
            received=received, file_name=f"{number}.mp3", source=Source(f"{number}.mp3", "e", "d")
        )
        library.documents.create(f"{number:032x}", dict(waiting.body))
    return [UploadId(f"{number:032x}") for number in reversed(range(count))]


def is_even(upload: UploadId) -> bool:
    return int(upload, 16) % 2 == 0


def pages_of(library: Library, size: int) -> list[list[str]]:
    pages, after = [], None
    while True:
        page = uploads_page(library, is_even, after=after, size=size)
        pages.append([found.id for found in page.items])
        after = page.after
        if after is None:
            return pages


def test_pages_have_each_upload_of_the_sender_once_and_none_of_others(library: Library) -> None:
    mine = list(filter(is_even, record(library, 9)))

    pages = pages_of(library, 2)

    assert [upload for page in pages for upload in page] == mine
    assert all(len(page) <= 2 for page in pages)


def test_a_page_ends_after_many_uploads_of_others(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_pages, "_MOST_SEARCHED", 3)
    mine = list(filter(is_even, record(library, 9)))

    pages = pages_of(library, 50)

    assert [upload for page in pages for upload in page] == mine
    assert len(pages) == 3


def test_a_text_that_marks_no_place_is_refused(library: Library) -> None:
    with pytest.raises(NotACursor):
        uploads_page(library, is_even, after="nothing", size=2)
