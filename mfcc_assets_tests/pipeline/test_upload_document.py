"""The document of an upload: what it holds in each state, and which state may follow which."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mfcc_assets.errors import IllegalTransition, IncompleteDocument
from mfcc_assets.pipeline.upload_document import (
    TRANSITIONS,
    AnalysedUpload,
    AnsweredUpload,
    CopiedUpload,
    FailedUpload,
    Failure,
    RankedUpload,
    RecognisedUpload,
    SearchedUpload,
    State,
    UploadDocument,
)
from mfcc_assets.recognition.recogniser import Recognition, RecognitionFailure

Body = dict[str, Any]

STORED: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("stored_upload_documents.json").read_text(encoding="utf-8")
)
"""Documents that a former version stored after each step, by the story of the upload."""

STORED_BODIES = [
    pytest.param(entry["document"], id=f"{story}, {entry['step']}") for story in STORED for entry in STORED[story]
]
GUARANTEED: dict[State, type[UploadDocument]] = {
    State.WAITING: UploadDocument,
    State.RECEIVED: UploadDocument,
    State.RECOGNISED: RecognisedUpload,
    State.CANDIDATES: SearchedUpload,
    State.RANKED: AnsweredUpload,
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
            index_version=expected["index_version"], method=expected["method"], indexed_tracks=10, library_tracks=10
        )
    if step == "rank_uploads":
        return SearchedUpload.of(before.body).with_ranking(recall=expected["recall"])
    assert step == "recommend_for_uploads"
    return RankedUpload.of(before.body).with_recommendations(expected["recommendations"])


def without_moments(body: Mapping[str, Any]) -> Body:
    """A document apart from when its run wrote it, as JSON, without what the former version did not store."""
    later = {"heard", "indexed_tracks", "library_tracks"}
    kept = {key: value for key, value in body.items() if key not in later} | {"times": sorted(body["times"])}
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


@pytest.mark.parametrize("after", [state for state in State if state is not State.WAITING])
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
        State.CANDIDATES: lambda: RecognisedUpload.of(body).with_candidates(
            index_version="1", method="dtw", indexed_tracks=10, library_tracks=10
        ),
        State.RANKED: lambda: RankedUpload.of(body).with_recommendations(5),
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
