"""Uploads that wait for too long are found; answered and failed ones are not."""

from datetime import UTC, datetime, timedelta

from mfcc_assets.library import Library
from mfcc_assets.pipeline.late_answers import ANSWERED_WITHIN, late_answers
from mfcc_assets.pipeline.upload_register import receive_files, upload_files


def test_an_upload_is_late_after_a_minute_without_an_answer(library: Library) -> None:
    library.blobs.write("uploads", "song.mp3", b"not music")
    (upload,) = receive_files(library, list(upload_files(library)))
    now = datetime.now(UTC)

    assert late_answers(library, now) == []
    (late,) = late_answers(library, now + ANSWERED_WITHIN + timedelta(seconds=5))
    assert (late.upload, late.file_name, late.state) == (upload, "song.mp3", "waiting")
    assert late.waited > ANSWERED_WITHIN


def test_an_upload_that_was_answered_or_has_failed_is_not_late(library: Library) -> None:
    library.blobs.write("uploads", "song.mp3", b"not music")
    (upload,) = receive_files(library, list(upload_files(library)))
    later = datetime.now(UTC) + timedelta(hours=1)

    library.documents.update(upload, lambda body: {**body, "state": "failed"})
    assert late_answers(library, later) == []
    library.documents.update(upload, lambda body: {**body, "state": "ranked"})
    assert late_answers(library, later) == []
