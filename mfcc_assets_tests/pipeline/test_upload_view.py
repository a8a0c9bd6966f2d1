"""An upload as a caller sees it."""

import json
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_view import latest_upload, upload_with_id
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload, run_uploads

FIELDS = {
    "times",
    "seconds",
    "note",
    "run_id",
    "ranking",
    "id",
    "state",
    "received",
    "file_name",
    "recognised",
    "recognition_failures",
    "failure",
    "index_version",
    "indexed_tracks",
    "library_tracks",
    "recall",
    "links_end_after_seconds",
    "recommendations",
}


def test_before_anything_is_uploaded_there_is_no_latest_upload(library: Library) -> None:
    assert latest_upload(library) is None


def test_an_unknown_upload_is_not_found(library: Library) -> None:
    with pytest.raises(DocumentNotFound):
        upload_with_id(library, UploadId("unknown"))


def test_an_answered_upload_comes_with_titles_and_links(
    ten_tracks: Library, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first = drop_upload(ten_tracks, write_music(tmp_path / "first.flac", 3.0, seed=77), "first.flac")
    second = drop_upload(ten_tracks, write_music(tmp_path / "second.flac", 3.0, seed=78), "second.flac")
    run_uploads(ten_tracks, instance, [first, second])

    shown = latest_upload(ten_tracks)

    assert shown is not None
    assert (shown["id"], shown["state"], shown["file_name"]) == (second, "ranked", "second.flac")
    assert shown == json.loads(json.dumps(shown))
    recommended = ten_tracks.recommendations.recommended(second)
    assert [place["title"] for place in shown["recommendations"]] == [row.title for row in recommended]
    assert len(recommended) == 5
    for place, row in zip(shown["recommendations"], recommended, strict=True):
        assert row.blob_name in place["soundtrack"]
        assert (place["track_id"], place["album"], place["seconds"]) == (row.track_id, row.album, row.seconds)
        assert place["distance"] == row.distance
        assert row.artwork in place["artwork"]
    assert upload_with_id(ten_tracks, first)["file_name"] == "first.flac"


def test_a_failed_upload_says_why(library: Library, instance: dg.DagsterInstance, tmp_path: Path) -> None:
    (tmp_path / "noise.mp3").write_bytes(b"not music")
    upload = drop_upload(library, tmp_path / "noise.mp3", "noise.mp3")
    run_uploads(library, instance, [upload])

    shown = upload_with_id(library, upload)

    assert shown["failure"]["code"] == "unreadable"
    assert shown["failure"]["words"] == "This file is not music that we can read."
    assert shown["recommendations"] == []


def test_a_caller_does_not_see_the_copy(library: Library) -> None:
    body = {
        "state": "received",
        "received": "2026-11-27T08:00:00+00:00",
        "file_name": "a.mp3",
        "run_id": "r",
        "batch": "b",
    }
    library.documents.put("an-upload", body)

    assert set(upload_with_id(library, UploadId("an-upload"))) == FIELDS
