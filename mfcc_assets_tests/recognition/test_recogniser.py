"""Recognition of queries by the library, by tags, and by several recognisers in order."""

import logging
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import FeaturesMissing, RecogniserUnavailable
from mfcc_assets.features.fingerprint import Fingerprints, fingerprint
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.recognition.recogniser import (
    LibraryRecogniser,
    Outcome,
    Recogniser,
    Recognition,
    RecognitionQuery,
    TagRecogniser,
    recognise,
)
from mfcc_assets.storage.sql.records import Soundtrack

PARAMETERS = CepstraParameters()
FRAMES_A_SECOND = 100
TRACKS = (AudioId("one"), AudioId("two"), AudioId("three"))


def recording(seed: int, seconds: int) -> np.ndarray:
    """Return cepstra (frames, 13) that change differently for each seed, as different recordings do."""
    rng = np.random.default_rng(seed)
    log_energy, shape = rng.uniform(-4, 0, (seconds * 4, 1)), rng.normal(0, 10, (seconds * 4, 12))
    return np.repeat(np.hstack([log_energy, shape]), FRAMES_A_SECOND // 4, axis=0).astype(np.float32)


LIBRARY = {audio: recording(seed, 60) for seed, audio in enumerate(TRACKS)}


def soundtrack(audio: AudioId) -> Soundtrack:
    return Soundtrack(
        track_id=TrackId(f"track {audio}"),
        blob_name=f"{audio}.mp3",
        bytes=1,
        content_digest="digest",
        title=f"Title {audio}",
        artist=f"Artist {audio}",
        album="",
        genre="",
        artwork="",
        audio_id=audio,
        analysed_digest="digest",
        seconds=60.0,
        note="",
    )


def library_recogniser(
    there: Iterable[str] = TRACKS, read_cepstra=LIBRARY.__getitem__, known_to_index: Container[AudioId] = TRACKS
) -> LibraryRecogniser:
    return LibraryRecogniser(
        [Fingerprints.of([(audio, fingerprint(cepstra, PARAMETERS))]) for audio, cepstra in LIBRARY.items()],
        known_to_index,
        PARAMETERS,
        read_cepstra,
        lambda audio_ids: {audio: soundtrack(audio) for audio in audio_ids if audio in there},
    )


def query(cepstra: np.ndarray, **tags: Any) -> RecognitionQuery:
    return RecognitionQuery(Path("upload.mp3"), Tags(**tags), AudioId("upload"), cepstra)


def excerpt(audio: str, start: int, stop: int) -> RecognitionQuery:
    noise = np.random.default_rng(9).normal(0, 0.5, ((stop - start) * FRAMES_A_SECOND, 13)).astype(np.float32)
    return query(LIBRARY[AudioId(audio)][start * FRAMES_A_SECOND : stop * FRAMES_A_SECOND] + noise)


def known(recognition: Recognition | None) -> Recognition:
    assert recognition is not None
    return recognition


class Known(Recogniser):
    """A recogniser that knows every query and counts its calls."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0

    def recognise(self, query: RecognitionQuery) -> Recognition | None:
        self.calls += 1
        return Recognition(query.tags.title, "", self.name)


class Unavailable(Recogniser):
    name = "service"

    def recognise(self, query: RecognitionQuery) -> Recognition | None:
        raise RecogniserUnavailable("it does not answer", subject=query.path.name, remedy="Try again later")


class TestLibraryRecogniser:
    @pytest.mark.parametrize(("audio", "start", "stop"), [("one", 0, 60), ("two", 20, 40), ("three", 45, 60)])
    def test_an_excerpt_is_recognised_with_its_offset(self, audio, start, stop):
        recognition = library_recogniser().recognise(excerpt(audio, start, stop))
        assert recognition is not None
        assert recognition.title == f"Title {audio}"
        assert recognition.artist == f"Artist {audio}"
        assert recognition.by == "library"
        assert recognition.audio_ids == (audio,)
        assert recognition.offset_seconds == pytest.approx(start, abs=0.1)
        assert recognition.certainty is not None
        assert 0.75 < recognition.certainty <= 1

    def test_another_recording_is_unknown(self):
        assert library_recogniser().recognise(query(recording(seed=77, seconds=30))) is None

    def test_a_library_without_tracks_recognises_nothing(self):
        empty = LibraryRecogniser([Fingerprints.of([])], (), PARAMETERS, LIBRARY.__getitem__, lambda _: {})
        assert empty.recognise(excerpt("one", 0, 30)) is None

    def test_a_fingerprint_that_the_index_does_not_have_any_more_is_not_compared(self):
        recogniser = library_recogniser(known_to_index=(TRACKS[0], TRACKS[2]))
        assert recogniser.recognise(excerpt("two", 20, 40)) is None
        assert known(recogniser.recognise(excerpt("one", 20, 40))).audio_ids == ("one",)

    def test_a_match_whose_track_has_gone_is_not_returned(self):
        read = []

        def read_cepstra(audio: AudioId) -> np.ndarray:
            read.append(audio)
            return LIBRARY[audio]

        recogniser = library_recogniser(there={"one", "three"}, read_cepstra=read_cepstra)
        assert recogniser.recognise(excerpt("two", 20, 40)) is None
        assert sorted(read) == ["one", "three"]

    def test_a_track_with_missing_features_is_skipped_with_a_warning(self, caplog):
        def read_cepstra(audio: AudioId) -> np.ndarray:
            if audio == "two":
                raise FeaturesMissing("the stored features are damaged", subject="two.parquet")
            return LIBRARY[audio]

        recogniser = library_recogniser(read_cepstra=read_cepstra)
        assert recogniser.recognise(excerpt("two", 20, 40)) is None
        assert known(recogniser.recognise(excerpt("one", 20, 40))).audio_ids == ("one",)
        assert "two.parquet: the stored features are damaged" in caplog.text


class TestTagRecogniser:
    def test_title_and_artist_are_taken_from_the_tags(self):
        assert TagRecogniser().recognise(query(recording(0, 2), title="Ocean", artist="Will")) == Recognition(
            title="Ocean", artist="Will", by="tags"
        )

    def test_an_artist_without_a_title_is_no_recognition(self):
        assert TagRecogniser().recognise(query(recording(0, 2), artist="Will")) is None


class TestOrder:
    def test_the_first_recogniser_that_knows_the_query_answers_and_the_rest_are_not_called(self):
        first, second = Known("first"), Known("second")
        assert known(recognise(query(recording(0, 2)), [TagRecogniser(), first, second]).recognition).by == "first"
        assert (first.calls, second.calls) == (1, 0)

    def test_the_library_goes_before_the_tags(self):
        recognisers = [library_recogniser(), TagRecogniser()]
        tagged = query(excerpt("one", 0, 30).cepstra, title="A wrong title")
        assert known(recognise(tagged, recognisers).recognition).title == "Title one"
        unknown = query(recording(77, 30), title="A title")
        assert known(recognise(unknown, recognisers).recognition).title == "A title"

    def test_an_unknown_query_is_not_a_failure(self):
        assert recognise(query(recording(77, 30)), [library_recogniser(), TagRecogniser()]) == Outcome(None)
        assert recognise(query(recording(77, 30)), []) == Outcome(None)

    def test_an_unavailable_recogniser_is_skipped_with_a_warning(self, caplog):
        outcome = recognise(query(recording(0, 2)), [Unavailable(), Known("second")])
        assert known(outcome.recognition).by == "second"
        assert [(failure.by, failure.reason) for failure in outcome.failures] == [
            ("service", "upload.mp3: it does not answer. Try again later.")
        ]
        assert "recogniser service is unavailable. upload.mp3: it does not answer" in caplog.text

    def test_the_reason_of_every_unavailable_recogniser_is_kept(self):
        outcome = recognise(query(recording(0, 2)), [Unavailable(), TagRecogniser(), Unavailable()])
        assert outcome.recognition is None
        assert [failure.by for failure in outcome.failures] == ["service", "service"]

    def test_a_recogniser_that_answers_logs_no_warning(self, caplog):
        caplog.set_level(logging.WARNING)
        recognise(excerpt("one", 0, 30), [library_recogniser(), TagRecogniser()])
        assert caplog.records == []
