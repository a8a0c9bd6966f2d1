"""The document of an upload: its state, and the findings of the steps.

An upload goes through six states::

    waiting ──> received ──> recognised ──> candidates ──> ranked
       └───────────┴─────────────┴──────────────┴───────────┴──> failed

A step may be repeated, and the findings of later steps stay in the document meanwhile. So `recognised`, `candidates`
and `ranked` may follow each other in any order, as long as the document holds what the new state guarantees. A failed
upload stays failed until a run claims it again: a claim begins a new document, whatever the state of the former one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Self, TypeVar

from mfcc_assets.errors import IllegalTransition, IncompleteDocument
from mfcc_assets.ids import AudioId
from mfcc_assets.pipeline.upload_source import Source
from mfcc_assets.recognition.recogniser import Recognition, RecognitionFailure


class State(StrEnum):
    """The states of an upload.

    Attributes
    ----------
    WAITING
        The sensor has seen the file, and no run has claimed the upload yet.
    RECEIVED
        A run has claimed the upload, and may have copied and analysed it: see `CopiedUpload` and `AnalysedUpload`.
    RECOGNISED
        The recognisers have answered. The document is a `RecognisedUpload`.
    CANDIDATES
        The candidates are stored, and perhaps their ranking. The document is a `SearchedUpload`.
    RANKED
        The recommendations are written. The document is a `AnsweredUpload`.
    FAILED
        There is no answer. The document is a `FailedUpload`.
    """

    WAITING = "waiting"
    RECEIVED = "received"
    RECOGNISED = "recognised"
    CANDIDATES = "candidates"
    RANKED = "ranked"
    FAILED = "failed"


UNANSWERED = (State.WAITING, State.RECEIVED, State.RECOGNISED, State.CANDIDATES, State.FAILED)

_AFTER_RECOGNITION = {State.RECOGNISED, State.CANDIDATES, State.RANKED, State.FAILED}

TRANSITIONS: Mapping[State, set[State]] = {
    State.WAITING: {State.FAILED},
    State.RECEIVED: {State.RECEIVED, State.RECOGNISED, State.FAILED},
    State.RECOGNISED: _AFTER_RECOGNITION,
    State.CANDIDATES: _AFTER_RECOGNITION,
    State.RANKED: _AFTER_RECOGNITION,
    State.FAILED: set(),
}
"""States that may follow each state. A state follows itself when a step adds findings or is repeated. A claim, which
begins a new document, is not a transition."""


@dataclass(frozen=True)
class Failure:
    """Why an upload has no answer.

    Attributes
    ----------
    code
        Word for programs, for example ``unreadable``.
    reason
        Sentences for people.
    """

    code: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class UploadDocument:
    """Everything that is known of an upload, in any state. The fields have the names of the keys in the stored JSON.

    The subclasses are documents after one more step each. They guarantee that the findings of that step are there. A
    step requires the subclass that holds what it needs: see `ready_for`.

    Attributes
    ----------
    body
        The stored JSON object. It keeps keys that this version does not know.
    state
        State of the upload.
    received
        Time at which the file came, as an ISO 8601 text.
    run_id
        Id of the run that wrote the document last.
    file_name
        Name of the file without its folder; empty if the file was gone before it was read.
    times
        Time at which the upload reached each state, as an ISO 8601 text.
    heard
        Last sign of life of the run. Documents of older versions have none.
    blob, etag, content
        The file in the container `uploads`: its name, its version when it was last seen, and its content digest.
        Documents of older versions have none of them.
    batch
        Name of the copy in the container `batch`.
    audio_id, seconds, note
        Audio of the upload, its length, and a remark on its quality.
    recognised
        Recording that the upload was recognised as; None if no recogniser knows it.
    recognition_failures
        Recognisers that could not answer.
    index_version, method
        Index that was searched, and its ranking.
    indexed_tracks, library_tracks
        Number of tracks of this index, and of the library at that time. Documents of older versions have none.
    certified
        True if no other track of the library can be nearer than the recommended ones.
    recall
        Measured share of the true nearest tracks that the index finds; None if it was not measured.
    recommendations
        Number of recommendations written.
    failure
        Why the upload failed.

    Examples
    --------
    >>> begun = UploadDocument.begun(run_id="a run", received="2026-01-01T00:00:00+00:00", file_name="song.mp3")
    >>> analysed = begun.with_copy("0f/song.mp3").with_audio("7c", 180.0, "")
    >>> analysed.with_recognition(None, []).state.value
    'recognised'
    """

    body: Mapping[str, Any] = field(repr=False)
    state: State
    received: str
    run_id: str = ""
    file_name: str = ""
    times: Mapping[str, str] = field(default_factory=dict)
    heard: str | None = None
    blob: str | None = None
    etag: str | None = None
    content: str | None = None
    batch: str | None = None
    audio_id: AudioId | None = None
    seconds: float | None = None
    note: str | None = None
    recognised: Recognition | None = None
    recognition_failures: tuple[RecognitionFailure, ...] = ()
    index_version: str | None = None
    method: str | None = None
    indexed_tracks: int | None = None
    library_tracks: int | None = None
    certified: bool | None = None
    recall: float | None = None
    recommendations: int | None = None
    failure: Failure | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a document from stored JSON.

        Raises
        ------
        IncompleteDocument
            The JSON lacks a key that this class guarantees, or its state is unknown.
        """
        missing = sorted(cls._required() - body.keys())
        if missing:
            raise IncompleteDocument(f"its document lacks {', '.join(missing)}", subject=_named(body))
        if body["state"] not in list(State):
            raise IncompleteDocument(f"its document is in the unknown state {body['state']!r}", subject=_named(body))
        known = {key: _READERS.get(key, _as_it_is)(body[key]) for key in cls._keys() & body.keys()}
        return cls(body=body, **known)

    @classmethod
    def waiting(cls, *, received: str, file_name: str, source: Source) -> "UploadDocument":
        """Begin the document of an upload that no run has claimed yet."""
        return cls._first(State.WAITING, {"received": received, "file_name": file_name, **asdict(source)})

    @classmethod
    def begun(
        cls,
        *,
        run_id: str,
        received: str,
        file_name: str,
        batch: str | None = None,
        source: Source | None = None,
    ) -> "UploadDocument":
        """Begin the document of an upload that a run claims; `batch` names a copy that is there already."""
        found = {"batch": batch, **(asdict(source) if source else {})}
        known = {key: value for key, value in found.items() if value is not None}
        return cls._first(State.RECEIVED, {"run_id": run_id, "received": received, "file_name": file_name, **known})

    @classmethod
    def _first(cls, state: State, body: Mapping[str, Any]) -> "UploadDocument":
        return UploadDocument.of({"state": state.value, "times": {state.value: _now()}, **body})

    def ready_for(self, kind: "type[Kind]") -> "Kind | None":
        """Return the document as `kind`; None if the upload failed, or a step before has not been done."""
        if self.state is State.FAILED or not kind._required() <= self.body.keys():  # noqa: SLF001  of its own class
            return None
        return kind.of(self.body)

    def with_copy(self, batch: str) -> "CopiedUpload":
        """Add the name of the upload's copy."""
        return CopiedUpload.of(self._moved_to(State.RECEIVED, batch=batch))

    def failed(self, failure: Failure) -> "FailedUpload":
        """Close the document of an upload that cannot be answered."""
        return FailedUpload.of(self._moved_to(State.FAILED, failure=asdict(failure)))

    def from_source(self, source: Source) -> Self:
        """Record the file in the container `uploads` that holds this upload now."""
        return type(self).of({**self.body, **asdict(source)})

    @property
    def source(self) -> Source | None:
        """The file in the container `uploads`; None if an older version wrote the document."""
        if self.blob is None or self.etag is None or self.content is None:
            return None
        return Source(self.blob, self.etag, self.content)

    def heard_from(self, run_id: str) -> Self:
        """Add a sign of life of a run. The times of the states do not show it: a run may stay in one state for long."""
        return type(self).of({**self.body, "run_id": run_id, "heard": _now()})

    @property
    def is_under_way(self) -> bool:
        """True unless the upload is answered or has failed."""
        return self.state not in (State.RANKED, State.FAILED)

    @property
    def last_sign(self) -> datetime:
        """Time at which a run last wrote the document."""
        # Documents of older versions only tell when they reached a state.
        signs = [self.heard] if self.heard else [*self.times.values()] or [self.received]
        return max(map(datetime.fromisoformat, signs))

    def _moved_to(self, state: State, **found: Any) -> dict[str, Any]:
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(
                f"its document cannot go from the state {self.state} to {state}",
                subject=_named(self.body),
                remedy="Answer the upload anew from its first step",
            )
        return {**self.body, "state": state.value, **found}

    def _reached(self, state: State, **found: Any) -> dict[str, Any]:
        return self._moved_to(state, times={**self.times, state.value: _now()}, **found)

    @classmethod
    @cache
    def _keys(cls) -> frozenset[str]:
        return frozenset(key.name for key in fields(cls)) - {"body"}

    @classmethod
    @cache
    def _required(cls) -> frozenset[str]:
        needed = (key.name for key in fields(cls) if key.default is MISSING and key.default_factory is MISSING)
        return frozenset(needed) - {"body"}


Kind = TypeVar("Kind", bound=UploadDocument)

# Below, `field()` makes a key mandatory. A bare annotation would inherit the default None.


@dataclass(frozen=True, kw_only=True)
class CopiedUpload(UploadDocument):
    """An upload whose copy is in the container `batch`, out of reach of the sender."""

    batch: str = field()

    def with_audio(self, audio_id: AudioId, seconds: float, note: str) -> "AnalysedUpload":
        """Add the audio of an upload whose features are stored."""
        found = {"audio_id": audio_id, "seconds": seconds, "note": note}
        return AnalysedUpload.of(self._moved_to(self.state, **found))


@dataclass(frozen=True, kw_only=True)
class AnalysedUpload(CopiedUpload):
    """An upload whose features are stored under its audio id."""

    audio_id: AudioId = field()

    def with_recognition(
        self, recognition: Recognition | None, failures: Iterable[RecognitionFailure]
    ) -> "RecognisedUpload":
        """Add the answer of the recognisers."""
        found = {
            "recognised": asdict(recognition) if recognition else None,
            "recognition_failures": [asdict(failure) for failure in failures],
        }
        return RecognisedUpload.of(self._reached(State.RECOGNISED, **found))


@dataclass(frozen=True, kw_only=True)
class RecognisedUpload(AnalysedUpload):
    """An upload that the recognisers have examined. The state `recognised` guarantees this."""

    recognised: Recognition | None = field()

    @property
    def recognised_audio(self) -> tuple[AudioId, ...]:
        """Audio ids of the library that are the same recording as the upload."""
        return tuple(self.recognised.audio_ids) if self.recognised else ()

    def with_candidates(
        self, *, index_version: str, method: str, indexed_tracks: int, library_tracks: int
    ) -> "SearchedUpload":
        """Add the index that holds the upload's candidates, its ranking, and how much of the library it has."""
        coverage = {"indexed_tracks": indexed_tracks, "library_tracks": library_tracks}
        found = {"index_version": index_version, "method": method, **coverage}
        return SearchedUpload.of(self._reached(State.CANDIDATES, **found))


@dataclass(frozen=True, kw_only=True)
class SearchedUpload(RecognisedUpload):
    """An upload whose candidates are stored. The state `candidates` guarantees this."""

    index_version: str = field()
    method: str = field()

    def with_ranking(self, *, recall: float | None) -> "RankedUpload":
        """Add whether the stored ranking of the candidates is certified, and the recall of its index."""
        return RankedUpload.of(self._moved_to(self.state, certified=False, recall=recall))


@dataclass(frozen=True, kw_only=True)
class RankedUpload(SearchedUpload):
    """An upload whose candidates are stored in the order of their distance."""

    recall: float | None = field()

    def with_recommendations(self, count: int) -> "AnsweredUpload":
        """Close the document of an upload whose recommendations are written."""
        return AnsweredUpload.of(self._reached(State.RANKED, recommendations=count))


@dataclass(frozen=True, kw_only=True)
class AnsweredUpload(RankedUpload):
    """An upload that is answered. The state `ranked` guarantees this."""

    recommendations: int = field()


@dataclass(frozen=True, kw_only=True)
class FailedUpload(UploadDocument):
    """An upload that cannot be answered. The state `failed` guarantees the reason."""

    failure: Failure = field()


def _recognition(stored: Mapping[str, Any] | None) -> Recognition | None:
    if stored is None:
        return None
    # Another version may have stored more or fewer keys.
    known = {key.name: stored[key.name] for key in fields(Recognition) if key.name in stored}
    return Recognition(
        **{"title": "", "artist": "", "by": ""} | known | {"audio_ids": tuple(stored.get("audio_ids", ()))}
    )


def _recognition_failures(stored: Iterable[Mapping[str, str]]) -> tuple[RecognitionFailure, ...]:
    return tuple(RecognitionFailure(failure["by"], failure["reason"]) for failure in stored)


def _failure(stored: Mapping[str, str] | None) -> Failure | None:
    return None if stored is None else Failure(stored.get("code", ""), stored.get("reason", ""))


def _as_it_is(stored: Any) -> Any:
    return stored


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "state": State,
    "recognised": _recognition,
    "recognition_failures": _recognition_failures,
    "failure": _failure,
}


def _named(body: Mapping[str, Any]) -> str:
    return f"Upload {body.get('file_name') or 'without a name'}"


def _now() -> str:
    return datetime.now(UTC).isoformat()
