"""The preview of the answer to an upload."""

from pathlib import Path

import pytest

from mfcc_assets.errors import DocumentNotFound, UnreadableAudio
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.upload_preview import preview_upload
from mfcc_assets_tests.upload_steps import answer_uploads

UPLOAD = UploadId("0f" * 16)


def test_an_upload_is_answered_before_a_run_claims_it_with_the_list_of_the_run(
    ten_tracks: Library, query: Path
) -> None:
    opened = OpenedIndex(ten_tracks, ten_tracks.indexes.published())
    with pytest.raises(DocumentNotFound):
        preview_upload(ten_tracks, opened, UPLOAD)
    ten_tracks.blobs.upload_file("uploads", f"{UPLOAD}/query.flac", query)

    previews = [preview_upload(ten_tracks, opened, UPLOAD)]
    answer_uploads(ten_tracks, [UPLOAD])
    previews.append(preview_upload(ten_tracks, opened, UPLOAD))

    recorded = ten_tracks.recommendations.recommended(UPLOAD)
    assert len(recorded) == 5
    for preview in previews:
        assert [(one.track_id, one.distance) for one in preview.answer.recommendations] == [
            (row.track_id, row.distance) for row in recorded
        ]


def test_a_preview_says_what_the_run_will_say_of_a_file_that_is_no_music(ten_tracks: Library) -> None:
    opened = OpenedIndex(ten_tracks, ten_tracks.indexes.published())
    ten_tracks.blobs.write("uploads", f"{UPLOAD}/notes.mp3", b"not music")
    with pytest.raises(UnreadableAudio) as found:
        preview_upload(ten_tracks, opened, UPLOAD)
    (document,) = answer_uploads(ten_tracks, [UPLOAD])
    assert document.failure is not None
    assert document.failure.code == found.value.code
