"""Follow a library: what has happened to its tracks, its uploads and its index between two looks.

The looks compare states, so they also see what other processes and machines do. A state that lasts for less than the
time between two looks is not seen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_document import State, UploadDocument
from mfcc_assets.storage.sql.records import Soundtrack


@dataclass(frozen=True)
class Event:
    """Something that has happened.

    Attributes
    ----------
    kind
        ``added``, ``changed``, ``renamed``, ``removed`` or ``rejected``, of a track; ``received``, ``answered``,
        ``failed`` or ``purged``, of an upload; ``published``, of an index.
    subject
        Track id, upload id, or version of the index.
    text
        Name of the track or of the upload's file, and what is told of it.
    """

    kind: str
    subject: str
    text: str


class LibraryWatch:
    """Looks at a library again and again. The first look is taken at once, and tells nothing.

    Parameters
    ----------
    library
        The library.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._tracks = self._look_at_tracks()
        self._uploads = self._look_at_uploads()
        self._version = self._published_version()

    def events(self) -> list[Event]:
        """Look again, and return what has happened since the last look."""
        tracks, uploads, version = self._look_at_tracks(), self._look_at_uploads(), self._published_version()
        events = [*_of_tracks(self._tracks, tracks), *self._of_uploads(self._uploads, uploads)]
        if version not in (None, self._version):
            events.append(Event("published", str(version), f"index {version} answers"))
        self._tracks, self._uploads, self._version = tracks, uploads, version
        return events

    def _look_at_tracks(self) -> dict[str, Soundtrack]:
        return {track.track_id: track for track in self._library.catalogue.soundtracks()}

    def _look_at_uploads(self) -> dict[str, str]:
        """Return the state of each upload. The documents themselves are only read after a change."""
        return {upload: state.value for state in State for upload in self._library.documents.ids(state.value)}

    def _published_version(self) -> str | None:
        try:
            return self._library.indexes.published_version()
        except CorruptIndex:
            return None

    def _of_uploads(self, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Event]:
        for upload, state in after.items():
            if before.get(upload) == state:
                continue
            stored = self._library.documents.get_or_none(upload)
            document = UploadDocument.of(stored.body) if stored else None
            if document is None:
                continue  # it was purged since the look
            if upload not in before:
                yield Event("received", upload, document.file_name)
            if document.state is State.RANKED:
                yield Event("answered", upload, f"{document.file_name}: {self._answer(upload)}")
            elif document.failure is not None:
                yield Event("failed", upload, _with_name(document.file_name, document.failure.reason))
        for upload in before.keys() - after.keys():
            yield Event("purged", upload, f"upload {upload}")

    def _answer(self, upload: str) -> str:
        rows = self._library.recommendations.recommended(UploadId(upload))
        names = [f"{row.title or row.blob_name} by {row.artist}" if row.artist else row.title for row in rows]
        return "; ".join(names) or "there is no track to recommend"


def _with_name(file_name: str, reason: str) -> str:
    return reason if reason.startswith(f"{file_name}: ") else f"{file_name}: {reason}"


def _of_tracks(before: Mapping[str, Soundtrack], after: Mapping[str, Soundtrack]) -> Iterator[Event]:
    for track_id, track in after.items():
        former = before.get(track_id)
        if former is not None and former.blob_name != track.blob_name:
            yield Event("renamed", track_id, f"{former.blob_name} is now {track.blob_name}")
        if track.state == "analysed":
            if former is None or former.audio_id is None:
                yield Event("added", track_id, track.display_name)
            elif former.analysed_digest != track.analysed_digest:
                yield Event("changed", track_id, track.display_name)
        elif track.state == "rejected" and (former is None or (former.state, former.note) != (track.state, track.note)):
            yield Event("rejected", track_id, track.note)
    for track_id in before.keys() - after.keys():
        yield Event("removed", track_id, before[track_id].display_name)
