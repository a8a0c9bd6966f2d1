"""Pictures of an upload."""

from pathlib import Path

import pytest

from mfcc_assets.errors import UnreadableAudio
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.upload_pictures import UploadPicture, picture_of_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets_tests.upload_steps import answer_uploads

UPLOAD = UploadId("0f" * 16)


@pytest.mark.parametrize("picture", UploadPicture)
def test_each_picture_is_drawn_before_and_after_the_run_and_nothing_is_stored(
    ten_tracks: Library, query: Path, picture: UploadPicture
) -> None:
    opened = OpenedIndex(ten_tracks, ten_tracks.indexes.published())
    ten_tracks.blobs.upload_file("uploads", f"{UPLOAD}/query.flac", query)
    before = {blob for container in CONTAINERS for blob in ten_tracks.blobs.list(container)}

    first = picture_of_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), picture)
    assert {blob for container in CONTAINERS for blob in ten_tracks.blobs.list(container)} == before
    answer_uploads(ten_tracks, [UPLOAD])

    assert first.startswith(b"\x89PNG")
    assert picture_of_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), picture) == first


@pytest.mark.parametrize("picture", UploadPicture)
def test_what_is_no_music_has_no_picture(ten_tracks: Library, picture: UploadPicture) -> None:
    opened = OpenedIndex(ten_tracks, ten_tracks.indexes.published())
    ten_tracks.blobs.write("uploads", f"{UPLOAD}/notes.mp3", b"not music")
    with pytest.raises(UnreadableAudio):
        picture_of_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), picture)
