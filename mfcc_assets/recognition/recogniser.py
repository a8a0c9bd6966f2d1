"""Who a query is: the port `Recogniser`, and the adapters that need no service."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import FeaturesMissing, RecogniserUnavailable
from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.recognition.match import matches, shortlist

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """What there is to recognise a query by.

    Attributes
    ----------
    path
        The audio as a local file, of which a remote service is sent a sample.
    tags
        What the file says of itself.
    cepstra : (frames, d) float32
    """

    path: Path
    tags: Tags
    cepstra: NDArray[np.float32]


@dataclass(frozen=True)
class Recognition:
    """Who a query was found to be, and by whom.

    Attributes
    ----------
    by
        Name of the recogniser.
    audio_ids
        The library's audio that the query is, or is a part of, the most similar first.
    offset_seconds
        Where in the recording, or the first of that audio, the query begins.
    certainty
        From 0 to 1, as far as the recogniser can tell.
    external_ids
        What others call the recording, by who does, as ``isrc``.
    """

    title: str
    artist: str
    by: str
    audio_ids: tuple[str, ...] = ()
    offset_seconds: float | None = None
    certainty: float | None = None
    external_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecognitionFailure:
    """Why a recogniser could not be asked.

    Attributes
    ----------
    by
        Name of the recogniser.
    reason
        What happened and what the reader can do; it holds no secret.
    """

    by: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What came of asking who a query is.

    Attributes
    ----------
    recognition
        None where nobody who was asked knows it.
    failures
        Those that could not be asked before somebody knew it, in turn.
    """

    recognition: Recognition | None
    failures: tuple[RecognitionFailure, ...] = ()


class Recogniser(ABC):
    """Recognises queries, or says that it cannot."""

    name: str

    @abstractmethod
    def recognise(self, query: Recording) -> Recognition | None:
        """None where the query is unknown to this recogniser.

        Raises
        ------
        RecogniserUnavailable
            It could not be asked: another may be.
        """


class NamedTrack(Protocol):
    """A track of the library, as far as recognition tells of it."""

    @property
    def title(self) -> str: ...
    @property
    def artist(self) -> str: ...


class TagRecogniser(Recogniser):
    """Believes the file's own tags."""

    name = "tags"

    def recognise(self, query: Recording) -> Recognition | None:
        if not query.tags.title:
            return None
        return Recognition(query.tags.title, query.tags.artist, self.name)


class LibraryRecogniser(Recogniser):
    """Finds a query among the library's own recordings by their cepstra. What has left the library is not found.

    Parameters
    ----------
    sketches
        Of the library.
    parameters
        What the query's cepstra and the library's were made with.
    read_cepstra
        Reads the cepstra of an audio id.
    tracks_of_audio
        The soundtrack that stands for each audio, where there is one.
    """

    name = "library"

    def __init__(
        self,
        fingerprints: Fingerprints,
        parameters: CepstraParameters,
        read_cepstra: Callable[[str], NDArray[np.float32]],
        tracks_of_audio: Callable[[Iterable[str]], Mapping[str, NamedTrack]],
    ) -> None:
        self._sketches = fingerprints
        self._parameters = parameters
        self._read_cepstra = read_cepstra
        self._tracks_of_audio = tracks_of_audio

    def recognise(self, query: Recording) -> Recognition | None:
        likely = shortlist(query.cepstra, self._sketches, self._parameters)
        tracks = self._tracks_of_audio(likely)
        candidates = self._with_cepstra(audio_id for audio_id in likely if audio_id in tracks)
        found = matches(query.cepstra, candidates, self._parameters)
        if not found:
            return None
        best = found[0]
        track = tracks[best.audio_id]
        return Recognition(
            title=track.title,
            artist=track.artist,
            by=self.name,
            audio_ids=tuple(match.audio_id for match in found),
            offset_seconds=round(best.alignment.offset_seconds, 1),
            certainty=round(best.alignment.cosine, 3),
        )

    def _with_cepstra(self, audio_ids: Iterable[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
        for audio_id in audio_ids:
            try:
                yield audio_id, self._read_cepstra(audio_id)
            except FeaturesMissing as error:
                # One damaged file would otherwise fail every upload that sounds a little like it.
                _logger.warning("Not compared with the query: %s", error)


def recognise(query: Recording, recognisers: Sequence[Recogniser]) -> Outcome:
    """Ask one recogniser after the other, but those that are unavailable; the first that knows the query answers."""
    failures: list[RecognitionFailure] = []
    for recogniser in recognisers:
        try:
            recognition = recogniser.recognise(query)
        except RecogniserUnavailable as error:
            _logger.warning("%s could not be asked: %s", recogniser.name, error)
            failures.append(RecognitionFailure(recogniser.name, str(error)))
            continue
        if recognition is not None:
            return Outcome(recognition, tuple(failures))
    return Outcome(None, tuple(failures))
