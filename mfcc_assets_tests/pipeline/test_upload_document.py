"""Of several runs that set out to answer an upload, one does."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.pipeline.upload_document import AnsweringRun
from mfcc_assets.pipeline.uploads import (
    analyse_uploads,
    find_upload_candidates,
    rank_uploads,
    receive_uploads,
    recognise_uploads,
    recommend_for_uploads,
)
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload

STEPS = [analyse_uploads, recognise_uploads, find_upload_candidates, rank_uploads, recommend_for_uploads]
LONG = 3600.0


def run(name: str, *, has_ended: Callable[[str], bool] = lambda _: False, claim_seconds: float = LONG) -> AnsweringRun:
    return AnsweringRun(name, datetime.now(UTC), has_ended, claim_seconds)


@pytest.fixture
def upload(ten_tracks: Library, tmp_path: Path) -> str:
    return drop_upload(ten_tracks, write_music(tmp_path / "query.flac", 3.0, seed=99), "query.flac")


def test_of_many_runs_that_begin_at_once_one_answers_and_the_others_leave_the_upload_alone(
    ten_tracks: Library, upload: str
) -> None:
    runs = [run(f"run {number}") for number in range(8)]
    with ThreadPoolExecutor(len(runs)) as pool:
        bodies = list(pool.map(lambda each: receive_uploads(ten_tracks, [upload], run=each)[0], runs))

    (answering,) = {body["run_id"] for body in bodies}
    for step in STEPS:
        for each in runs:
            (body,) = step(ten_tracks, [upload], run=each)
            assert body["run_id"] == answering

    assert (body["state"], body["recommendations"]) == ("ranked", 5)
    assert [place.rank for place in ten_tracks.recommendations.recommended(upload)] == [1, 2, 3, 4, 5]


def test_an_upload_answered_since_a_run_was_asked_for_is_not_answered_again(ten_tracks: Library, upload: str) -> None:
    first, late = run("first"), run("late")
    for step in (receive_uploads, *STEPS):
        step(ten_tracks, [upload], run=first)
    before = ten_tracks.documents.get(upload)

    for step in (receive_uploads, *STEPS):
        step(ten_tracks, [upload], run=late)

    assert ten_tracks.documents.get(upload).body["times"] == before.body["times"]
    (again,) = receive_uploads(ten_tracks, [upload], run=run("asked for afterwards"))
    assert (again["state"], again["run_id"]) == ("received", "asked for afterwards")


def test_what_a_run_left_half_way_is_taken_over_once_the_run_is_known_to_have_ended(
    ten_tracks: Library, upload: str
) -> None:
    receive_uploads(ten_tracks, [upload], run=run("killed"))
    (kept,) = analyse_uploads(ten_tracks, [upload], run=run("other", has_ended=lambda name: name != "killed"))
    (taken,) = analyse_uploads(ten_tracks, [upload], run=run("retry", has_ended=lambda name: name == "killed"))

    assert (kept["run_id"], "audio_id" in kept) == ("killed", False)
    assert (taken["run_id"], "audio_id" in taken) == ("retry", True)


def test_what_a_run_left_before_a_step_was_done_is_left_to_whoever_begins_anew(
    ten_tracks: Library, upload: str
) -> None:
    killed, racing = run("killed"), run("racing", has_ended=lambda name: name == "killed")
    killed.claim(ten_tracks.documents, upload, lambda _: begun(killed))

    for step in STEPS:
        (body,) = step(ten_tracks, [upload], run=racing)
        assert (body["state"], body["run_id"]) == ("received", "killed")

    for step in (receive_uploads, *STEPS):
        (body,) = step(ten_tracks, [upload], run=racing)
    assert (body["state"], body["run_id"]) == ("ranked", "racing")


def begun(by: AnsweringRun) -> dict[str, object]:
    """The document of an upload that was claimed and not yet copied."""
    now = datetime.now(UTC).isoformat()
    return {"state": "received", "run_id": by.run_id, "times": {"received": now}, "received": now, "file_name": ""}


def test_the_claim_of_a_run_that_shows_no_sign_of_life_lapses(ten_tracks: Library, upload: str) -> None:
    receive_uploads(ten_tracks, [upload], run=run("silent"))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    ten_tracks.documents.update(upload, lambda body: body | {"heard": an_hour_ago})

    (kept,) = receive_uploads(ten_tracks, [upload], run=run("early", claim_seconds=2 * LONG))
    (taken,) = receive_uploads(ten_tracks, [upload], run=run("later", claim_seconds=LONG))

    assert (kept["run_id"], taken["run_id"]) == ("silent", "later")


def test_a_run_that_advances_shows_a_sign_of_life_also_where_it_reaches_no_other_state(
    ten_tracks: Library, upload: str
) -> None:
    slow = run("slow")
    receive_uploads(ten_tracks, [upload], run=slow)
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    ten_tracks.documents.update(upload, lambda body: body | {"times": {"received": an_hour_ago}, "heard": an_hour_ago})
    analyse_uploads(ten_tracks, [upload], run=slow)

    (kept,) = receive_uploads(ten_tracks, [upload], run=run("other", claim_seconds=LONG / 2))

    assert (kept["run_id"], "audio_id" in kept) == ("slow", True)


def test_a_document_from_before_runs_told_their_signs_of_life_is_taken_over_too(
    ten_tracks: Library, upload: str
) -> None:
    receive_uploads(ten_tracks, [upload], run=run("of an older version"))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

    def older(body: dict[str, object]) -> dict[str, object]:
        return {name: body[name] for name in body if name != "heard"} | {"times": {"received": an_hour_ago}}

    ten_tracks.documents.update(upload, older)
    (taken,) = receive_uploads(ten_tracks, [upload], run=run("newer", claim_seconds=LONG / 2))
    assert taken["run_id"] == "newer"


def test_an_upload_that_failed_since_a_run_was_asked_for_is_not_answered_again(
    ten_tracks: Library, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(b"no music")
    upload = drop_upload(ten_tracks, damaged, "damaged.flac")
    first = run("first")
    receive_uploads(ten_tracks, [upload], run=first)
    late = run("late")
    analyse_uploads(ten_tracks, [upload], run=first)

    (body,) = receive_uploads(ten_tracks, [upload], run=late)

    assert (body["state"], body["run_id"]) == ("failed", "first")


def test_an_upload_that_is_purged_under_a_run_leaves_the_others_of_the_run_alone(
    ten_tracks: Library, upload: str, tmp_path: Path
) -> None:
    other = drop_upload(ten_tracks, write_music(tmp_path / "other.flac", 3.0, seed=98), "other.flac")
    answering = run("answering")
    receive_uploads(ten_tracks, [upload, other], run=answering)
    purge_upload(ten_tracks, upload)

    for step in STEPS:
        (body,) = step(ten_tracks, [upload, other], run=answering)

    assert (body["file_name"], body["state"]) == ("other.flac", "ranked")
    with pytest.raises(DocumentNotFound):
        ten_tracks.documents.get(upload)


def test_a_run_that_lost_its_claim_in_the_midst_of_a_step_does_not_overwrite_what_the_other_found(
    ten_tracks: Library, upload: str
) -> None:
    receive_uploads(ten_tracks, [upload], run=run("slow"))
    receive_uploads(ten_tracks, [upload], run=run("quick", has_ended=lambda _: True))

    body = run("slow").advance(ten_tracks.documents, upload, {"audio_id": "of the slow one"})

    assert body["run_id"] == "quick"
    assert "audio_id" not in ten_tracks.documents.get(upload).body
