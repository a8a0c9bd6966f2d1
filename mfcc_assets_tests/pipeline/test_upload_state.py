"""How far an upload is."""

from pathlib import Path

import pytest

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import State, UploadDocument
from mfcc_assets.pipeline.upload_register import receive_files
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets_tests.upload_steps import answer_uploads

UPLOAD = UploadId("0f" * 16)


def test_an_upload_waits_from_the_moment_its_file_has_come(ten_tracks: Library, query: Path) -> None:
    with pytest.raises(DocumentNotFound):
        upload_state(ten_tracks, UPLOAD)

    blob = ten_tracks.blobs.upload_file("uploads", f"{UPLOAD}/query.flac", query)
    waiting = upload_state(ten_tracks, UPLOAD)
    document = UploadDocument.of(waiting.body)
    assert (waiting.id, waiting.etag, document.state) == (UPLOAD, blob.etag, State.WAITING)
    assert (document.file_name, document.received) == ("query.flac", blob.modified.isoformat())
    assert ten_tracks.documents.get_or_none(UPLOAD) is None, "nothing is stored"

    receive_files(ten_tracks, [blob])
    assert upload_state(ten_tracks, UPLOAD) == ten_tracks.documents.get(UPLOAD)
    answer_uploads(ten_tracks, [UPLOAD])
    assert upload_state(ten_tracks, UPLOAD).body["state"] == "ranked"


@pytest.mark.parametrize("name", ["album", "unknown", "", "..", "0F" * 16, "0f" * 15])
def test_a_folder_that_is_no_upload_has_no_state(library: Library, name: str) -> None:
    library.blobs.write("uploads", "album/song.mp3", b"music")
    with pytest.raises(DocumentNotFound):
        upload_state(library, UploadId(name))


def test_pictures_beside_the_file_do_not_matter_but_a_second_file_does(library: Library) -> None:
    library.blobs.write("uploads", f"{UPLOAD}/song.mp3", b"music")
    library.blobs.write("uploads", f"{UPLOAD}/cover.jpg", b"a picture")
    assert upload_state(library, UPLOAD).body["file_name"] == "song.mp3"
    library.blobs.write("uploads", f"{UPLOAD}/other.mp3", b"other music")
    with pytest.raises(DocumentNotFound):
        upload_state(library, UPLOAD)
