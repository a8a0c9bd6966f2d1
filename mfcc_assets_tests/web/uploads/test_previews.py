"""Tests of the answers that the process of the pages gives at once."""

from collections.abc import Iterator
from functools import partial

import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.web.uploads.previews import MOST_KEPT, PreviewOutcome, Previews
from mfcc_assets_tests.web.uploads.waiting import wait_for

A = UploadId("0a" * 16)


class _Told:
    """Counts the previews that are done."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1

    def has_reached(self, count: int) -> bool:
        return self.count >= count


@pytest.fixture
def told() -> _Told:
    return _Told()


@pytest.fixture
def previews(ten_tracks: Library, told: _Told) -> Iterator[Previews]:
    previews = Previews(ten_tracks, PublishedIndex(ten_tracks), told)
    yield previews
    previews.close()


def _made(previews: Previews, upload: UploadId) -> PreviewOutcome:
    previews.begin(upload)
    return wait_for(lambda: previews.get(upload))


def test_an_upload_is_answered_at_once(ten_tracks: Library, previews: Previews, told: _Told, song: bytes) -> None:
    ten_tracks.blobs.write("uploads", f"{A}/song.flac", song)

    outcome = _made(previews, A)

    assert outcome.preview is not None
    assert len(outcome.preview.answer.recommendations) == ten_tracks.settings.recommendations
    assert wait_for(lambda: told.count) == 1


def test_a_file_that_cannot_be_used_has_the_reason_for_an_outcome(ten_tracks: Library, previews: Previews) -> None:
    ten_tracks.blobs.write("uploads", f"{A}/song.flac", b"fLaC and no more")

    outcome = _made(previews, A)

    assert outcome.preview is None
    assert outcome.failure == "unreadable"


def test_an_upload_that_is_not_there_has_no_outcome(previews: Previews, told: _Told) -> None:
    previews.begin(A)

    wait_for(lambda: told.count)
    assert previews.get(A) is None


def test_a_deleted_upload_has_no_preview_even_if_it_was_being_computed(
    ten_tracks: Library, previews: Previews, told: _Told, song: bytes
) -> None:
    ten_tracks.blobs.write("uploads", f"{A}/song.flac", song)
    previews.begin(A)
    previews.forget(A)

    wait_for(lambda: told.count)
    assert previews.get(A) is None


def test_only_the_last_previews_are_kept(ten_tracks: Library, previews: Previews, told: _Told) -> None:
    uploads = [UploadId(f"{number:032x}") for number in range(MOST_KEPT + 1)]
    for number, upload in enumerate(uploads):
        ten_tracks.blobs.write("uploads", f"{upload}/song.flac", b"fLaC and no more")
        previews.begin(upload)
        wait_for(partial(told.has_reached, number + 1))

    assert previews.get(uploads[0]) is None
    assert previews.get(uploads[-1]) is not None


def test_preparing_without_an_index_does_no_harm(library: Library, told: _Told) -> None:
    previews = Previews(library, PublishedIndex(library), told)
    previews.prepare()
    previews.close()
