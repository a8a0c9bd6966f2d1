"""Why a track is near to an upload."""

import json
from pathlib import Path

import pytest

from mfcc_assets.errors import LeftToTheRun
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import explain_pair, picture_of_pair
from mfcc_assets.pipeline.explain_upload import explain_upload
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.upload_preview import preview_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets_tests.upload_steps import answer_uploads

UPLOAD = UploadId("0f" * 16)


@pytest.fixture
def opened(ten_tracks: Library) -> OpenedIndex:
    return OpenedIndex(ten_tracks, ten_tracks.indexes.published())


def upload(library: Library, path: Path) -> None:
    library.blobs.upload_file("uploads", f"{UPLOAD}/{path.name}", path)


def test_a_preview_and_a_recorded_answer_are_explained_alike_with_the_distances_of_the_list(
    ten_tracks: Library, opened: OpenedIndex, query: Path
) -> None:
    upload(ten_tracks, query)
    preview = preview_upload(ten_tracks, opened, UPLOAD)
    tracks = preview.answer.soundtracks
    before = [
        explain_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), tracks[one.track_id], preview=preview)
        for one in preview.answer.recommendations
    ]
    first = tracks[preview.answer.recommendations[0].track_id]
    without_preview = explain_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), first)
    answer_uploads(ten_tracks, [UPLOAD])

    rows = ten_tracks.recommendations.recommended(UPLOAD)
    for pair, row in zip(before, rows, strict=True):
        recorded = explain_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), tracks[row.track_id])
        assert recorded.record() == pair.record()
        assert recorded.ranked_distance == pytest.approx(row.distance, rel=1e-3)
        assert recorded.nearness is not None
        assert (recorded.a.track_id, recorded.a.display_title) == (UPLOAD, "query.flac")
        assert sum(coefficient.share for coefficient in recorded.explanation.coefficients) == pytest.approx(1)
        assert any("query.flac" in sentence for sentence in recorded.sentences)
        json.dumps(recorded.record())
    assert without_preview.record() == before[0].record()


def test_an_upload_of_a_track_is_explained_as_the_track_itself(
    ten_tracks: Library, opened: OpenedIndex, ten_songs: list[Path]
) -> None:
    upload(ten_tracks, ten_songs[3])
    answer_uploads(ten_tracks, [UPLOAD])
    soundtracks = {track.blob_name: track for track in ten_tracks.catalogue.soundtracks()}
    own, other = soundtracks[ten_songs[3].name], soundtracks[ten_songs[4].name]

    pair = explain_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), other)

    itself = explain_pair(ten_tracks, opened.index, own, other)
    assert {**pair.record(), "a": None} == {**itself.record(), "a": None}
    assert (pair.a.title, itself.a.title) == ("Song 3", "Song 3")


def test_stretches_have_times_in_both_files_and_a_picture(
    ten_tracks: Library, opened: OpenedIndex, ten_songs: list[Path]
) -> None:
    upload(ten_tracks, ten_songs[3])
    own = next(track for track in ten_tracks.catalogue.soundtracks() if track.blob_name == ten_songs[3].name)
    pair = explain_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), own)
    assert pair.explanation.distance == 0
    for stretch in pair.explanation.stretches:
        assert 0 <= stretch.a_start < stretch.a_end <= 3
        assert 0 <= stretch.b_start < stretch.b_end <= 3
    assert picture_of_pair(opened.index, pair).startswith(b"\x89PNG")


def test_a_long_upload_is_not_analysed_while_a_listener_waits(
    ten_tracks: Library, opened: OpenedIndex, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mfcc_assets.pipeline.file_answer.LONGEST_PREVIEW_SECONDS", 1.0)
    upload(ten_tracks, query)
    track = ten_tracks.catalogue.soundtracks()[0]
    with pytest.raises(LeftToTheRun):
        explain_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), track)

    answer_uploads(ten_tracks, [UPLOAD])

    assert explain_upload(ten_tracks, opened, upload_state(ten_tracks, UPLOAD), track).explanation.distance > 0
