"""One of several runs that set out to answer an upload does so."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import AudioId, UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.pipeline.upload_document import CopiedUpload, UploadDocument
from mfcc_assets.pipeline.uploads import analyse_uploads, receive_uploads
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload
from mfcc_assets_tests.upload_steps import AN_HOUR, STEPS, STEPS_AFTER_RECEIPT, answering_run


@pytest.fixture
def upload(ten_tracks: Library, tmp_path: Path) -> UploadId:
    return drop_upload(ten_tracks, write_music(tmp_path / "query.flac", 3.0, seed=99), "query.flac")


def test_one_of_many_runs_that_start_at_once_answers_the_upload_and_the_others_leave_it_alone(
    ten_tracks: Library, upload: UploadId
) -> None:
    runs = [answering_run(f"run {number}") for number in range(8)]
    with ThreadPoolExecutor(len(runs)) as pool:
        documents = list(pool.map(lambda each: receive_uploads(ten_tracks, [upload], run=each)[0], runs))

    (answering,) = {document.run_id for document in documents}
    for step in STEPS_AFTER_RECEIPT:
        for each in runs:
            (document,) = step(ten_tracks, [upload], run=each)
            assert document.run_id == answering

    assert (document.state, document.recommendations) == ("ranked", 5)
    assert [place.rank for place in ten_tracks.recommendations.recommended(upload)] == [1, 2, 3, 4, 5]


def test_a_run_does_not_answer_an_upload_that_was_answered_after_the_run_was_requested(
    ten_tracks: Library, upload: UploadId
) -> None:
    first, late = answering_run("first"), answering_run("late")
    for step in STEPS:
        step(ten_tracks, [upload], run=first)
    before = ten_tracks.documents.get(upload)

    for step in STEPS:
        step(ten_tracks, [upload], run=late)

    assert ten_tracks.documents.get(upload).body["times"] == before.body["times"]
    (again,) = receive_uploads(ten_tracks, [upload], run=answering_run("requested afterwards"))
    assert (again.state, again.run_id) == ("received", "requested afterwards")


def test_a_run_takes_over_an_upload_whose_run_is_known_to_have_ended(ten_tracks: Library, upload: UploadId) -> None:
    receive_uploads(ten_tracks, [upload], run=answering_run("killed"))
    (kept,) = analyse_uploads(ten_tracks, [upload], run=answering_run("other", has_ended=lambda name: name != "killed"))
    (taken,) = analyse_uploads(
        ten_tracks, [upload], run=answering_run("retry", has_ended=lambda name: name == "killed")
    )

    assert (kept.run_id, kept.audio_id is None) == ("killed", True)
    assert (taken.run_id, taken.audio_id is not None) == ("retry", True)


def test_a_step_leaves_an_upload_alone_if_the_step_before_was_not_done(ten_tracks: Library, upload: UploadId) -> None:
    killed, racing = answering_run("killed"), answering_run("racing", has_ended=lambda name: name == "killed")
    begun = UploadDocument.begun(run_id="killed", received=datetime.now(UTC).isoformat(), file_name="")
    killed.claim(ten_tracks.documents, upload, lambda _: begun)

    for step in STEPS_AFTER_RECEIPT:
        (document,) = step(ten_tracks, [upload], run=racing)
        assert (document.state, document.run_id) == ("received", "killed")

    for step in STEPS:
        (document,) = step(ten_tracks, [upload], run=racing)
    assert (document.state, document.run_id) == ("ranked", "racing")


def test_the_claim_of_a_run_that_shows_no_sign_of_life_lapses(ten_tracks: Library, upload: UploadId) -> None:
    receive_uploads(ten_tracks, [upload], run=answering_run("silent"))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    ten_tracks.documents.update(upload, lambda body: body | {"heard": an_hour_ago})

    (kept,) = receive_uploads(ten_tracks, [upload], run=answering_run("early", claim_seconds=2 * AN_HOUR))
    (taken,) = receive_uploads(ten_tracks, [upload], run=answering_run("later", claim_seconds=AN_HOUR))

    assert (kept.run_id, taken.run_id) == ("silent", "later")


def test_a_step_that_reaches_no_new_state_is_a_sign_of_life_too(ten_tracks: Library, upload: UploadId) -> None:
    slow = answering_run("slow")
    receive_uploads(ten_tracks, [upload], run=slow)
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    ten_tracks.documents.update(upload, lambda body: body | {"times": {"received": an_hour_ago}, "heard": an_hour_ago})
    analyse_uploads(ten_tracks, [upload], run=slow)

    (kept,) = receive_uploads(ten_tracks, [upload], run=answering_run("other", claim_seconds=AN_HOUR / 2))

    assert (kept.run_id, kept.audio_id is not None) == ("slow", True)


def test_the_claim_in_a_document_of_an_older_version_without_signs_of_life_lapses_too(
    ten_tracks: Library, upload: UploadId
) -> None:
    receive_uploads(ten_tracks, [upload], run=answering_run("of an older version"))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

    def older(body: dict[str, object]) -> dict[str, object]:
        return {name: body[name] for name in body if name != "heard"} | {"times": {"received": an_hour_ago}}

    ten_tracks.documents.update(upload, older)
    (taken,) = receive_uploads(ten_tracks, [upload], run=answering_run("newer", claim_seconds=AN_HOUR / 2))
    assert taken.run_id == "newer"


def test_a_run_does_not_answer_an_upload_that_failed_after_the_run_was_requested(
    ten_tracks: Library, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(b"no music")
    upload = drop_upload(ten_tracks, damaged, "damaged.flac")
    first = answering_run("first")
    receive_uploads(ten_tracks, [upload], run=first)
    late = answering_run("late")
    analyse_uploads(ten_tracks, [upload], run=first)

    (document,) = receive_uploads(ten_tracks, [upload], run=late)

    assert (document.state, document.run_id) == ("failed", "first")


def test_an_upload_that_is_purged_during_a_run_does_not_disturb_the_others(
    ten_tracks: Library, upload: UploadId, tmp_path: Path
) -> None:
    other = drop_upload(ten_tracks, write_music(tmp_path / "other.flac", 3.0, seed=98), "other.flac")
    answering = answering_run("answering")
    receive_uploads(ten_tracks, [upload, other], run=answering)
    purge_upload(ten_tracks, upload)

    for step in STEPS_AFTER_RECEIPT:
        (document,) = step(ten_tracks, [upload, other], run=answering)

    assert (document.file_name, document.state) == ("other.flac", "ranked")
    with pytest.raises(DocumentNotFound):
        ten_tracks.documents.get(upload)


def test_a_run_that_lost_its_claim_during_a_step_overwrites_nothing(ten_tracks: Library, upload: UploadId) -> None:
    receive_uploads(ten_tracks, [upload], run=answering_run("slow"))
    receive_uploads(ten_tracks, [upload], run=answering_run("quick", has_ended=lambda _: True))

    document = answering_run("slow").advance(
        ten_tracks.documents,
        upload,
        CopiedUpload,
        lambda stored: stored.with_audio(AudioId("audio of the slow run"), 3.0, ""),
    )

    assert document.run_id == "quick"
    assert "audio_id" not in ten_tracks.documents.get(upload).body
