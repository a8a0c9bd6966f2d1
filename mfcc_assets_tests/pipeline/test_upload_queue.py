"""The uploads that wait for their answer."""

from datetime import UTC, datetime, timedelta

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_queue import upload_queue

RECEIVED = datetime(2026, 11, 1, tzinfo=UTC)


def put(library: Library, number: int, state: str) -> UploadId:
    upload = UploadId(f"{number:032x}")
    received = RECEIVED + timedelta(hours=number)
    library.documents.put(upload, {"state": state, "received": received.isoformat(), "run_id": "run"})
    return upload


def test_without_uploads_nothing_waits(library: Library) -> None:
    queue = upload_queue(library)
    assert sum(queue.counts.values()) == 0
    assert (queue.oldest, queue.age()) == (None, 0.0)


def test_uploads_before_their_answer_are_counted_by_state_and_the_others_are_not(library: Library) -> None:
    for number, state in enumerate(("ranked", "failed", "waiting", "received", "recognised", "candidates", "waiting")):
        put(library, number, state)

    queue = upload_queue(library)

    assert queue.counts == {"waiting": 2, "received": 1, "recognised": 1, "candidates": 1}
    assert queue.oldest == RECEIVED + timedelta(hours=2)
    assert queue.age(RECEIVED + timedelta(hours=3)) == 3600


def test_a_file_that_nothing_has_looked_at_waits_and_one_that_was_answered_does_not(library: Library) -> None:
    answered = put(library, 1, "ranked")
    for upload in (answered, UploadId(f"{2:032x}")):
        library.blobs.write("uploads", f"{upload}/song.mp3", b"ID3")
    library.blobs.write("uploads", f"{3:032x}/cover.jpg", b"")

    queue = upload_queue(library)

    assert queue.counts["waiting"] == 1
    assert queue.oldest is not None
    assert queue.oldest > RECEIVED
