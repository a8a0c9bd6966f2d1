"""What documents record of the files that uploads came in."""

from mfcc_assets.pipeline.upload_document import CopiedUpload, State, UploadDocument
from mfcc_assets.pipeline.upload_source import Source


def test_a_waiting_document_names_its_file_and_no_run() -> None:
    source = Source("folder/song.mp3", "version 1", "a digest")

    waiting = UploadDocument.waiting(received="2026-01-01T00:00:00+00:00", file_name="song.mp3", source=source)

    assert (waiting.state, waiting.run_id, waiting.source) == (State.WAITING, "", source)
    assert waiting.is_under_way
    assert waiting.ready_for(CopiedUpload) is None


def test_a_claimed_document_keeps_the_file_that_it_was_received_from() -> None:
    source = Source("song.mp3", "version 1", "a digest")

    begun = UploadDocument.begun(
        run_id="a run", received="2026-01-01T00:00:00+00:00", file_name="song.mp3", source=source
    )

    assert begun.source == source
    assert begun.from_source(Source("song.mp3", "version 2", "a digest")).etag == "version 2"


def test_the_document_of_an_older_version_records_no_file() -> None:
    assert UploadDocument.of({"state": "received", "received": "2026-01-01T00:00:00+00:00"}).source is None
