"""The file of an upload, wherever it is."""

from pathlib import Path

import pytest

from mfcc_assets.errors import BlobNotFound, TooLarge
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.pipeline.upload_file import opened_upload, place_of_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets_tests.upload_steps import answer_uploads

UPLOAD = UploadId("0f" * 16)


def document_in(library: Library) -> UploadDocument:
    return UploadDocument.of(upload_state(library, UPLOAD).body)


def test_the_file_is_lent_before_and_after_a_run_has_copied_it(ten_tracks: Library, query: Path) -> None:
    ten_tracks.blobs.upload_file("uploads", f"{UPLOAD}/query.flac", query)
    with opened_upload(ten_tracks, document_in(ten_tracks)) as file:
        assert (file.path.read_bytes(), file.file_name) == (query.read_bytes(), "query.flac")
    assert place_of_upload(ten_tracks, document_in(ten_tracks))[0] == "uploads"

    answer_uploads(ten_tracks, [UPLOAD])
    assert place_of_upload(ten_tracks, document_in(ten_tracks))[0] == "batch"
    ten_tracks.blobs.delete("uploads", f"{UPLOAD}/query.flac")
    with opened_upload(ten_tracks, document_in(ten_tracks)) as file:
        assert file.path.read_bytes() == query.read_bytes()

    ten_tracks.blobs.delete("batch", f"{UPLOAD}/query.flac")
    with (
        pytest.raises(BlobNotFound, match=r"Upload query\.flac: its file is gone"),
        opened_upload(ten_tracks, document_in(ten_tracks)),
    ):
        pass


def test_a_file_that_is_too_large_is_not_read(library: Library) -> None:
    library.blobs.write("uploads", f"{UPLOAD}/song.mp3", b"x" * 101)
    with (
        Library(library.settings.model_copy(update={"max_upload_gigabytes": 1e-7})) as small,
        pytest.raises(TooLarge, match="101 bytes"),
        opened_upload(small, document_in(library)),
    ):
        pass
