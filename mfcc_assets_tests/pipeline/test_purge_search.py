"""Tests of finding what is stored of uploads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import Blob, OnSkipped
from mfcc_assets_tests.pipeline.test_purge import everything
from mfcc_assets_tests.runs import drop_upload
from mfcc_assets_tests.upload_steps import answer_uploads

NAME = "query.flac"


class CountingBlobs(LocalBlobs):
    """Local blobs that count how many of them were listed."""

    listed = 0

    def list(self, container: str, prefix: str = "", on_skipped: OnSkipped | None = None) -> Iterator[Blob]:
        for blob in super().list(container, prefix, on_skipped):
            self.listed += 1
            yield blob


@pytest.mark.parametrize("name", [NAME, f"{'0f' * 16}/song.flac"])
def test_the_work_of_a_purge_does_not_grow_with_the_library(ten_tracks: Library, query: Path, name: str) -> None:
    before = everything(ten_tracks)
    upload = drop_upload(ten_tracks, query, name)
    answer_uploads(ten_tracks, [upload])
    version = ten_tracks.documents.get(upload).body["index_version"]
    of_others = [(container, f"{number:032x}/x.mp3") for number in range(50) for container in ("uploads", "batch")]
    of_others += [
        ("cepstra", f"{folder}/{number:032x}.parquet")
        for number in range(50)
        for folder in ("frames/old", "waveforms/old", f"indexes/{version}/rankings")
    ]
    for container, other in of_others:
        ten_tracks.blobs.write(container, other, b"1")
    old = f"summaries/old/{ten_tracks.documents.get(upload).body['audio_id']}.parquet"
    ten_tracks.blobs.write("cepstra", old, b"of an older version of this program")
    ten_tracks.blobs = counting = CountingBlobs(ten_tracks.settings.blobs, lambda: ten_tracks.signing_key)

    purged = purge_upload(ten_tracks, upload)

    assert counting.listed < 10
    assert purged.blobs == 2
    for container, other in of_others:
        counting.delete(container, other)
    assert everything(ten_tracks) == before


def test_the_file_of_another_listener_in_the_folder_of_an_upload_stays(ten_tracks: Library, query: Path) -> None:
    upload = drop_upload(ten_tracks, query, f"{'0f' * 16}/song.flac")
    answer_uploads(ten_tracks, [upload])
    # If a folder holds two files, its id belongs to the file that the document names.
    other = drop_upload(ten_tracks, query, f"{'0f' * 16}/other.flac")
    answer_uploads(ten_tracks, [other])

    purge_upload(ten_tracks, upload)

    assert other != upload
    assert [blob.name for blob in ten_tracks.blobs.list("uploads")] == [f"{'0f' * 16}/other.flac"]
    assert ten_tracks.documents.get(other).body["state"] == "ranked"
