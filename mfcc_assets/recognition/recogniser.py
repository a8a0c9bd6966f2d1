"""Recognition of a query: the port `Recogniser`, and the adapters that need no remote service."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.tags import Tags
from mfcc_assets.credits import is_placeholder, named
from mfcc_assets.errors import FeaturesMissing, RecogniserUnavailable
from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.match import IDENTICAL, Match, matches
from mfcc_assets.recognition.shortlist import shortlist

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecognitionQuery:
    """Everything that a recogniser may use to recognise a file.

    Attributes
    ----------
    path
        The audio as a local file. A remote service receives an excerpt of it.
    tags
        Tags of the file.
    audio_id
        Audio id of the file.
    cepstra : (frames, d) float32
        Cepstra of the file.
    """

    path: Path
    tags: Tags
    audio_id: AudioId
    cepstra: NDArray[np.float32]


@dataclass(frozen=True)
class Recognition:
    """The recording that a query was recognised as.

    Attributes
    ----------
    title, artist
        Title and artist of the recording.
    by
        Name of the recogniser.
    audio_ids
        Audio ids of the library that are the same recording as the query or contain it, the most similar first.
    offset_seconds
        Position in the recording at which the query begins. If `audio_ids` is not empty, it is the position in the
        first of them.
    certainty
        Certainty from 0 to 1, if the recogniser reports one.
    external_ids
        Ids of the recording elsewhere, by the name of their system, such as ``isrc``.
    """

    title: str
    artist: str
    by: str
    audio_ids: tuple[AudioId, ...] = ()
    offset_seconds: float | None = None
    certainty: float | None = None
    external_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecognitionFailure:
    """The reason why a recogniser was unavailable.

    Attributes
    ----------
    by
        Name of the recogniser.
    reason
        Message of the error, with its remedy. It contains no secret.
    """

    by: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """The result of trying to recognise a query.

    Attributes
    ----------
    recognition
        The recognition, or None if no available recogniser knows the query.
    failures
        Recognisers that were unavailable before one knew the query, in the order they were tried.
    """

    recognition: Recognition | None
    failures: tuple[RecognitionFailure, ...] = ()


class Recogniser(ABC):
    """Recognises queries."""

    name: str

    @abstractmethod
    def recognise(self, query: RecognitionQuery) -> Recognition | None:
        """Return the recording that a query is, or None if this recogniser does not know it.

        Raises
        ------
        RecogniserUnavailable
            If this recogniser cannot answer now. Another one may.
        """


class NamedTrack(Protocol):
    """A track of the library, as far as recognition needs it."""

    @property
    def title(self) -> str: ...
    @property
    def artist(self) -> str: ...


class TagRecogniser(Recogniser):
    """Takes title and artist from the tags of the file. A title such as "Track 01" names no recording."""

    name = "tags"

    def recognise(self, query: RecognitionQuery) -> Recognition | None:
        tags = query.tags
        if is_placeholder(tags.title):
            return None
        return Recognition(tags.title, named(tags.artist, tags.album_artist), self.name)


class LibraryRecogniser(Recogniser):
    """Finds a query among the library's own recordings by their cepstra.

    A recording whose audio is identical to the query comes before all others. Recordings that have left the library are
    not found.

    Parameters
    ----------
    fingerprints
        Fingerprints of all tracks of the library, in any number of parts.
    known
        Audio ids of the library. The fingerprints may have others.
    parameters
        Parameters that the cepstra of the query and of the library were computed with.
    read_cepstra
        Reads the cepstra of an audio id.
    tracks_of_audio
        Returns the soundtrack that represents each audio id. Audio ids without a soundtrack are left out.
    """

    name = "library"

    def __init__(
        self,
        fingerprints: Sequence[Fingerprints],
        known: Container[AudioId],
        parameters: CepstraParameters,
        read_cepstra: Callable[[AudioId], NDArray[np.float32]],
        tracks_of_audio: Callable[[Iterable[AudioId]], Mapping[AudioId, NamedTrack]],
    ) -> None:
        self._fingerprints, self._known = fingerprints, known
        self._parameters = parameters
        self._read_cepstra = read_cepstra
        self._tracks_of_audio = tracks_of_audio

    def recognise(self, query: RecognitionQuery) -> Recognition | None:
        likely = shortlist(query.cepstra, self._fingerprints, self._parameters, among=self._known)
        tracks = self._tracks_of_audio({query.audio_id, *likely})
        others = [audio_id for audio_id in likely if audio_id in tracks and audio_id != query.audio_id]
        found = matches(query.cepstra, self._with_cepstra(others), self._parameters)
        if query.audio_id in tracks:
            found.insert(0, Match(query.audio_id, IDENTICAL))
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

    def _with_cepstra(self, audio_ids: Iterable[AudioId]) -> Iterator[tuple[AudioId, NDArray[np.float32]]]:
        missing: list[FeaturesMissing] = []
        for audio_id in audio_ids:
            try:
                yield audio_id, self._read_cepstra(audio_id)
            except FeaturesMissing as error:
                # One damaged or mislabelled file must not fail every upload that sounds a little like it.
                missing.append(error)
        warn_of_missing(missing, _logger)


LOCAL_RECOGNISERS = (LibraryRecogniser.name, TagRecogniser.name)
"""Names of the recognisers that ask no service."""


def warn_of_missing(missing: Sequence[FeaturesMissing], logger: logging.Logger) -> None:
    """Write one line to the log for all tracks that a query is not compared with. It names the first."""
    if len(missing) == 1:
        logger.warning("The query is not compared with one track. %s", missing[0])
    elif missing:
        logger.warning("The query is not compared with %d tracks. The first: %s", len(missing), missing[0])


def recognise(query: RecognitionQuery, recognisers: Sequence[Recogniser]) -> Outcome:
    """Try recognisers in order until one knows the query. Recognisers that are unavailable are skipped.

    Examples
    --------
    >>> query = RecognitionQuery(Path("song.mp3"), Tags(title="Ocean"), AudioId("…"), np.empty((0, 13), np.float32))
    >>> recognise(query, [TagRecogniser()]).recognition.title
    'Ocean'
    """
    failures: list[RecognitionFailure] = []
    for recogniser in recognisers:
        try:
            recognition = recogniser.recognise(query)
        except RecogniserUnavailable as error:
            _logger.warning("The recogniser %s is unavailable. %s", recogniser.name, error)
            failures.append(RecognitionFailure(recogniser.name, str(error)))
            continue
        if recognition is not None:
            return Outcome(recognition, tuple(failures))
    return Outcome(None, tuple(failures))
