"""The document of an upload: what it holds in each state, and which of several runs may write it."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mfcc_assets.errors import DocumentNotFound, IllegalTransition, IncompleteDocument
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.pipeline.upload_document import (
    TRANSITIONS,
    AnalysedUpload,
    CopiedUpload,
    FailedUpload,
    Failure,
    OrderedUpload,
    RankedUpload,
    RecognisedUpload,
    SearchedUpload,
    State,
    UploadDocument,
)
from mfcc_assets.pipeline.uploads import analyse_uploads, receive_uploads
from mfcc_assets.recognition.recogniser import Recognition, RecognitionFailure
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload
from mfcc_assets_tests.upload_steps import AN_HOUR, STEPS, STEPS_AFTER_RECEIPT, answering_run

Body = dict[str, Any]

STORED: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("stored_upload_documents.json").read_text(encoding="utf-8")
)
"""Documents that a former version stored after each step, by the story of the upload."""

STORED_BODIES = [
    pytest.param(entry["document"], id=f"{story}, {entry['step']}") for story in STORED for entry in STORED[story]
]
GUARANTEED: dict[State, type[UploadDocument]] = {
    State.RECEIVED: UploadDocument,
    State.RECOGNISED: RecognisedUpload,
    State.CANDIDATES: SearchedUpload,
    State.RANKED: RankedUpload,
    State.FAILED: FailedUpload,
}


@pytest.mark.parametrize("body", STORED_BODIES)
def test_a_stored_document_is_read_and_written_back_unchanged(body: Body) -> None:
    document = UploadDocument.of(body)

    assert document.body == body
    assert (document.state, document.received, document.file_name) == (
        body["state"],
        body["received"],
        body["file_name"],
    )
    assert document.audio_id == body.get("audio_id")
    assert (document.recognised is None) == (body.get("recognised") is None)


@pytest.mark.parametrize("body", STORED_BODIES)
def test_a_stored_document_holds_what_its_state_guarantees(body: Body) -> None:
    GUARANTEED[State(body["state"])].of(body)


@pytest.mark.parametrize("story", STORED)
def test_the_steps_make_the_documents_that_a_former_version_stored(story: str) -> None:
    bodies = [entry["document"] for entry in STORED[story]]
    document = UploadDocument.of(bodies[0])
    for entry in STORED[story][1:]:
        if document.state is not State.FAILED:
            document = after_step(entry["step"], document, entry["document"])
        assert without_moments(document.body) == without_moments(entry["document"])


def after_step(step: str, before: UploadDocument, expected: Body) -> UploadDocument:
    """The document after a step that found what an expected document holds."""
    if "failure" in expected:
        return before.failed(Failure(**expected["failure"]))
    if step == "analyse_uploads":
        return CopiedUpload.of(before.body).with_audio(expected["audio_id"], expected["seconds"], expected["note"])
    if step == "recognise_uploads":
        recognised = expected["recognised"]
        failures = [RecognitionFailure(**failure) for failure in expected["recognition_failures"]]
        return AnalysedUpload.of(before.body).with_recognition(recognised and Recognition(**recognised), failures)
    if step == "find_upload_candidates":
        return RecognisedUpload.of(before.body).with_candidates(
            index_version=expected["index_version"], method=expected["method"]
        )
    if step == "rank_uploads":
        return SearchedUpload.of(before.body).with_ranking(certified=expected["certified"], recall=expected["recall"])
    assert step == "recommend_for_uploads"
    return OrderedUpload.of(before.body).with_recommendations(expected["recommendations"])


def without_moments(body: Mapping[str, Any]) -> Body:
    """A document apart from when its run wrote it, as JSON."""
    kept = {key: value for key, value in body.items() if key != "heard"} | {"times": sorted(body["times"])}
    return dict(json.loads(json.dumps(kept)))


@pytest.mark.parametrize("story", ["unknown to all", "unreadable", "gone", "too large"])
def test_a_claim_begins_the_document_that_a_former_version_began(story: str) -> None:
    first = STORED[story][0]["document"]
    found = {key: first[key] for key in first.keys() & {"batch", "failure"}}

    begun = UploadDocument.begun(run_id=first["run_id"], received=first["received"], file_name=first["file_name"])

    body = begun.heard_from(first["run_id"]).body
    assert without_moments({**body, **found, "state": first["state"]}) == without_moments(first)


@pytest.mark.parametrize("missing", ["heard", "recognition_failures", "method", "certified", "recall", "note"])
def test_a_document_of_an_older_version_is_read_and_keeps_what_it_lacks(missing: str) -> None:
    body = {key: value for key, value in answered_body().items() if key != missing}

    document = UploadDocument.of(body)

    assert (document.state, document.recommendations) == (State.RANKED, 5)
    assert set(document.heard_from("another").body) == set(body) | {"heard"}


def test_a_document_that_holds_only_what_a_store_needs_is_read() -> None:
    document = UploadDocument.of({"state": "received", "received": "2026-01-01T00:00:00+00:00"})

    assert (document.run_id, document.file_name, document.recognised) == ("", "", None)
    assert document.last_sign == datetime(2026, 1, 1, tzinfo=UTC)


def test_unknown_keys_of_a_document_are_kept_when_a_step_writes_it_back() -> None:
    body = answered_body() | {"mood": "cheerful"}

    written = AnalysedUpload.of(body).with_recognition(None, []).heard_from("another").body

    assert written["mood"] == "cheerful"


def test_unknown_keys_of_a_recognition_are_ignored() -> None:
    body = answered_body() | {"recognised": {"title": "Ocean", "artist": "", "by": "audd", "label": "Blue"}}

    assert UploadDocument.of(body).recognised == Recognition("Ocean", "", "audd")


@pytest.mark.parametrize("after", State)
@pytest.mark.parametrize("before", State)
def test_a_state_follows_another_only_if_the_table_says_so(before: State, after: State) -> None:
    if after in TRANSITIONS[before]:
        assert move(before, after).state is after
    else:
        with pytest.raises(IllegalTransition, match=f"from the state {before} to {after}"):
            move(before, after)


def move(before: State, after: State) -> UploadDocument:
    """A document that holds everything, taken from one state to another."""
    body = answered_body() | {"state": before.value, "failure": {"code": "gone", "reason": "It is gone."}}
    moves: dict[State, Callable[[], UploadDocument]] = {
        State.RECEIVED: lambda: UploadDocument.of(body).with_copy("a copy"),
        State.RECOGNISED: lambda: AnalysedUpload.of(body).with_recognition(None, []),
        State.CANDIDATES: lambda: RecognisedUpload.of(body).with_candidates(index_version="1", method="dtw"),
        State.RANKED: lambda: OrderedUpload.of(body).with_recommendations(5),
        State.FAILED: lambda: UploadDocument.of(body).failed(Failure("gone", "It is gone.")),
    }
    return moves[after]()


@pytest.mark.parametrize(
    ("state", "guaranteed"),
    [
        ("recognised", "batch audio_id recognised"),
        ("candidates", "batch audio_id recognised index_version method"),
        ("ranked", "batch audio_id recognised index_version method recall recommendations"),
        ("failed", "failure"),
    ],
)
def test_a_state_guarantees_the_findings_of_the_steps_before(state: str, guaranteed: str) -> None:
    kind = GUARANTEED[State(state)]
    for key in guaranteed.split():
        body = answered_body() | {"state": state, "failure": {"code": "gone", "reason": ""}}
        del body[key]
        with pytest.raises(IncompleteDocument, match=f"Upload query.flac: its document lacks {key}"):
            kind.of(body)


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(IncompleteDocument, match="the unknown state 'lost'"):
        UploadDocument.of(answered_body() | {"state": "lost"})


def test_a_failed_upload_is_ready_for_no_step() -> None:
    failed = UploadDocument.of(answered_body()).failed(Failure("gone", "It is gone."))

    assert failed.ready_for(CopiedUpload) is None
    assert UploadDocument.of(answered_body()).ready_for(CopiedUpload) is not None


def answered_body() -> Body:
    """The stored document of an upload that is answered."""
    return dict(STORED["unknown to all"][-1]["document"])


@pytest.fixture
def upload(ten_tracks: Library, tmp_path: Path) -> str:
    return drop_upload(ten_tracks, write_music(tmp_path / "query.flac", 3.0, seed=99), "query.flac")


def test_one_of_many_runs_that_start_at_once_answers_the_upload_and_the_others_leave_it_alone(
    ten_tracks: Library, upload: str
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
    ten_tracks: Library, upload: str
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


def test_a_run_takes_over_an_upload_whose_run_is_known_to_have_ended(ten_tracks: Library, upload: str) -> None:
    receive_uploads(ten_tracks, [upload], run=answering_run("killed"))
    (kept,) = analyse_uploads(ten_tracks, [upload], run=answering_run("other", has_ended=lambda name: name != "killed"))
    (taken,) = analyse_uploads(
        ten_tracks, [upload], run=answering_run("retry", has_ended=lambda name: name == "killed")
    )

    assert (kept.run_id, kept.audio_id is None) == ("killed", True)
    assert (taken.run_id, taken.audio_id is not None) == ("retry", True)


def test_a_step_leaves_an_upload_alone_if_the_step_before_was_not_done(ten_tracks: Library, upload: str) -> None:
    killed, racing = answering_run("killed"), answering_run("racing", has_ended=lambda name: name == "killed")
    begun = UploadDocument.begun(run_id="killed", received=datetime.now(UTC).isoformat(), file_name="")
    killed.claim(ten_tracks.documents, upload, lambda _: begun)

    for step in STEPS_AFTER_RECEIPT:
        (document,) = step(ten_tracks, [upload], run=racing)
        assert (document.state, document.run_id) == ("received", "killed")

    for step in STEPS:
        (document,) = step(ten_tracks, [upload], run=racing)
    assert (document.state, document.run_id) == ("ranked", "racing")


def test_the_claim_of_a_run_that_shows_no_sign_of_life_lapses(ten_tracks: Library, upload: str) -> None:
    receive_uploads(ten_tracks, [upload], run=answering_run("silent"))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    ten_tracks.documents.update(upload, lambda body: body | {"heard": an_hour_ago})

    (kept,) = receive_uploads(ten_tracks, [upload], run=answering_run("early", claim_seconds=2 * AN_HOUR))
    (taken,) = receive_uploads(ten_tracks, [upload], run=answering_run("later", claim_seconds=AN_HOUR))

    assert (kept.run_id, taken.run_id) == ("silent", "later")


def test_a_step_that_reaches_no_new_state_is_a_sign_of_life_too(ten_tracks: Library, upload: str) -> None:
    slow = answering_run("slow")
    receive_uploads(ten_tracks, [upload], run=slow)
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    ten_tracks.documents.update(upload, lambda body: body | {"times": {"received": an_hour_ago}, "heard": an_hour_ago})
    analyse_uploads(ten_tracks, [upload], run=slow)

    (kept,) = receive_uploads(ten_tracks, [upload], run=answering_run("other", claim_seconds=AN_HOUR / 2))

    assert (kept.run_id, kept.audio_id is not None) == ("slow", True)


def test_the_claim_in_a_document_of_an_older_version_without_signs_of_life_lapses_too(
    ten_tracks: Library, upload: str
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
    ten_tracks: Library, upload: str, tmp_path: Path
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


def test_a_run_that_lost_its_claim_during_a_step_overwrites_nothing(ten_tracks: Library, upload: str) -> None:
    receive_uploads(ten_tracks, [upload], run=answering_run("slow"))
    receive_uploads(ten_tracks, [upload], run=answering_run("quick", has_ended=lambda _: True))

    document = answering_run("slow").advance(
        ten_tracks.documents, upload, CopiedUpload, lambda stored: stored.with_audio("audio of the slow run", 3.0, "")
    )

    assert document.run_id == "quick"
    assert "audio_id" not in ten_tracks.documents.get(upload).body
