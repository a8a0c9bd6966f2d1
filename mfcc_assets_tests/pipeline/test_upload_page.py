"""An upload as its page shows it."""

import json
from pathlib import Path

import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.pipeline.shares import share_upload
from mfcc_assets.pipeline.upload_page import page_of_preview, page_of_upload
from mfcc_assets.pipeline.upload_preview import preview_upload
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.pipeline.upload_view import Presented
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.upload_steps import STEPS, answer_uploads, answering_run

UPLOAD = UploadId("0f" * 16)
CHANGING = {"state", "times", "run_id"}


@pytest.fixture
def uploaded(ten_tracks: Library, query: Path) -> Library:
    ten_tracks.blobs.upload_file("uploads", f"{UPLOAD}/query.flac", query)
    return ten_tracks


def page_of(library: Library) -> Presented:
    return page_of_upload(library, PublishedIndex(library), upload_state(library, UPLOAD))


def test_a_page_exists_from_the_moment_the_file_has_come(uploaded: Library) -> None:
    page = page_of(uploaded)
    assert (page["state"], page["file_name"], page["recommendations"]) == ("waiting", "query.flac", [])
    assert list(page["times"]) == ["waiting"]


def test_a_preview_and_the_recorded_answer_have_the_same_page(uploaded: Library) -> None:
    published = PublishedIndex(uploaded)
    opened = published.opened()
    preview = page_of_preview(published, upload_state(uploaded, UPLOAD), preview_upload(uploaded, opened, UPLOAD))
    answer_uploads(uploaded, [UPLOAD])
    recorded = page_of(uploaded)

    assert (preview["state"], recorded["state"]) == ("waiting", "ranked")
    assert list(recorded["times"]) == ["received", "recognised", "candidates", "ranked"]
    assert recorded["run_id"] == "run"
    assert recorded["features_version"] == opened.index.parameters.features.version
    for page in (preview, recorded):
        for each in page["recommendations"]:
            assert each.keys() == {"rank", "track_id", "distance", "closer_than", "nearness", "nearness_bar"}
            assert 0 <= each["nearness_bar"] <= 1
            assert each["nearness"] in ("very near", "near", "fairly near", "not near", "far")
    assert {key: preview[key] for key in preview.keys() - CHANGING} == {
        key: recorded[key] for key in recorded.keys() - CHANGING
    }
    assert json.loads(json.dumps(recorded)) == recorded


def test_candidates_are_shown_while_they_are_ranked_and_not_later(uploaded: Library) -> None:
    run, shown = answering_run("run"), []
    for step in STEPS:
        step(uploaded, [UPLOAD], run=run)
        shown.append(len(page_of(uploaded)["candidates"]))
    assert shown == [0, 0, 0, 5, 5, 0]


def test_damaged_candidates_are_not_shown(uploaded: Library) -> None:
    run = answering_run("run")
    for step in STEPS[:4]:
        step(uploaded, [UPLOAD], run=run)
    version = uploaded.indexes.published().version
    uploaded.blobs.write(CEPSTRA, f"indexes/{version}/candidates/{UPLOAD}.npz", b"damaged")
    assert page_of(uploaded)["candidates"] == []


def test_without_its_index_an_answer_is_shown_without_its_nearness(uploaded: Library) -> None:
    answer_uploads(uploaded, [UPLOAD])
    uploaded.indexes.delete(uploaded.indexes.published().version)
    page = page_of(uploaded)
    assert page["features_version"] is None
    assert [each["nearness"] for each in page["recommendations"]] == [None] * 5


def test_a_page_says_until_when_it_is_shared_and_not_with_which_link(uploaded: Library) -> None:
    answer_uploads(uploaded, [UPLOAD])
    assert page_of(uploaded)["shared_until"] is None
    share_upload(uploaded, UPLOAD, seconds=60)
    page = page_of(uploaded)
    assert page["shared_until"] > page["received"]
    assert "digest" not in json.dumps(page)
