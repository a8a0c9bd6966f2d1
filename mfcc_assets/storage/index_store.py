"""Stores versions of the library's index in the container `cepstra`.

The rows of an index are in segments, which several versions share: see `mfcc_assets.storage.index_segments`.
`IndexStore.write` makes these files of a version:

indexes/<version>/changes.npz                               the audio ids of the segments that the version has not, and
                                                            those that another track represents than in their segments
indexes/<version>/index.json                                parameters, calibration and segments; written last, so that
                                                            a version without it does not exist

These files may follow:

indexes/<version>/{candidates,rankings}/…                   see `mfcc_assets.storage.ranking_store`
indexes/<version>/quality.json                              the measured quality of the rankings
indexes/<version>/attachments/<name>                        pictures, figures and digests that a version has, and what
                                                            `mfcc_assets.storage.shared_tables` stores of its tables

Beside the versions are the files that `mfcc_assets.storage.index_history` describes.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock

from mfcc_assets.errors import BlobNotFound, CorruptIndex, IndexOfOtherProgram, NoPublishedIndex
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.index import Calibration, LibraryIndex
from mfcc_assets.search.segment import Segment
from mfcc_assets.storage.blobs.json_blobs import etag_of, read_json, write_json
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.checked_bytes import with_checksum, without_checksum
from mfcc_assets.storage.index_description import CHANGES_PART, IndexDescription, in_use
from mfcc_assets.storage.index_history import BY_RUN, IndexHistory, Publication, StoredVersion, answered_before
from mfcc_assets.storage.index_parts import DESCRIPTION, part_name
from mfcc_assets.storage.index_segments import IndexSegments
from mfcc_assets.storage.part_folder import REBUILD, PartFolder, corrupt_index
from mfcc_assets.storage.verified_parts import VerifiedParts

_logger = logging.getLogger(__name__)

RECALL = "recall"
"""Key of the recall of the rankings in the quality of an index."""

_KEPT_OPEN = 2
"""Number of versions kept open beside the published one, such as the one that is being built."""


def no_index() -> NoPublishedIndex:
    """Make the error for a library without a published index."""
    remedy = "Add music with `mfcc add PATH`, or materialise the library"
    return NoPublishedIndex("there is no index to search yet", remedy=remedy)


class IndexStore:
    """Writes, reads and publishes indexes.

    Arrays of a stored index are memory-mapped, so opening a large index reads only the pages that are used. A part is
    verified on its first use, and again after its blob has changed: see `mfcc_assets.storage.part_folder.PartFolder`.

    Parameters
    ----------
    blobs
        Store that holds the indexes.
    recommended_by
        As for `mfcc_assets.storage.index_history.IndexHistory`.
    known
        As for `mfcc_assets.storage.part_folder.PartFolder`.
    """

    def __init__(
        self,
        blobs: BlobStore,
        recommended_by: Callable[[], Sequence[str]] = lambda: (),
        known: VerifiedParts | None = None,
    ) -> None:
        self._blobs = blobs
        self._history = IndexHistory(blobs, recommended_by)
        self._segments = IndexSegments(blobs, known)
        self._opened: OrderedDict[str, _Opened] = OrderedDict()
        self._answering: str | None = None
        self._lock = Lock()

    def write(self, index: LibraryIndex) -> None:
        """Write an index under its version, and those of its segments that are not stored yet.

        Readers do not see it before it is complete. If the version is stored with other segments, it gets these.
        """
        for segment in index.segments:
            self._segments.write(segment)
        self._segments.write_calibration(index.calibration)
        IndexDescription.of(index).write(self._folder(index.version), len(index.tracks))

    def write_calibration(self, calibration: Calibration) -> None:
        """Write a calibration before the index that uses it, so that others can already compute with it."""
        self._segments.write_calibration(calibration)

    def read_calibration(self, digest: str, ranking: str) -> Calibration:
        """Read a calibration of a ranking, given its digest. Raises `CorruptIndex` if it is missing or damaged."""
        return self._segments.read_calibration(digest, ranking)

    def read(self, version: str) -> LibraryIndex:
        """Open a version. The parts of its segments are read on their first use.

        Raises
        ------
        NoPublishedIndex
            If there is no such version.
        CorruptIndex
            If the description or a part is missing, or a part has another size than was written. Other damage raises
            when the part is first used. Building the index again replaces it.
        """
        state = self._state(version)
        if state is None:
            if version in self._history.damaged():
                raise corrupt_index(f"index {version}", "index.json is missing")
            raise NoPublishedIndex("there is no such index", subject=f"index {version}", remedy=REBUILD)
        with self._lock:
            opened = self._opened.get(version)
        if opened is None or opened.state != state or not self._is_unchanged(opened):
            opened = self._open(version, state)
        with self._lock:
            self._opened[version] = opened
            self._opened.move_to_end(version)
            others = [each for each in self._opened if each != self._answering]
            for unused in others[: max(0, len(others) - _KEPT_OPEN)]:
                del self._opened[unused]
        return opened.index

    def publish(self, version: str, *, by: str = BY_RUN, withdraws_former: bool = False) -> None:
        """Let a version answer from now on. `Publication` describes the parameters.

        Raises
        ------
        NoPublishedIndex
            If there is no such version.
        Conflict
            If somebody else published meanwhile. Their version answers.
        """
        if not self._history.exists(version):
            raise NoPublishedIndex("there is no such index", subject=f"index {version}", remedy=REBUILD)
        self._history.publish(version, by=by, withdraws_former=withdraws_former)

    def history(self) -> list[Publication]:
        """Return all publications, oldest first. Raises `CorruptIndex` if nobody knows which version answers."""
        return self._history.history()

    def pointer_faults(self) -> list[str]:
        """Return a sentence for the pointer and for the history of publications if it is damaged.

        Raises
        ------
        CorruptIndex
            If nobody knows which version answers.
        """
        return self._history.faults()

    def repair_pointers(self) -> list[str]:
        """Write damaged pointers again, and return a sentence for each. If none tells what answers, nothing does."""
        return self._history.repair()

    def versions(self) -> list[StoredVersion]:
        """Return every stored version whose description is intact, oldest first."""
        return self._history.stored()

    def exists(self, version: str) -> bool:
        """Return whether a version is stored, intact or not."""
        return self._history.exists(version)

    def damaged_versions(self) -> list[str]:
        """Return every stored version whose description is damaged or lost."""
        return self._history.damaged()

    def delete(self, version: str) -> None:
        """Delete a version. The caller makes sure that it neither answers nor is about to answer.

        Its segments stay until `delete_unused_segments`.
        """
        self._history.delete(version)

    def delete_unused_segments(self) -> None:
        """Delete the segments and calibrations that no version uses; none while the description of one is damaged."""
        segments, calibrations = set[str](), set[str]()
        try:
            for stored in self.versions():
                names, calibration = in_use(self._folder(stored.version))
                segments.update(names)
                calibrations.add(calibration)
        except (BlobNotFound, CorruptIndex) as error:
            _logger.warning("No unused segments are deleted. %s", error)
            return
        if damaged := self.damaged_versions():
            _logger.warning("No unused segments are deleted, because versions are damaged: %s", ", ".join(damaged))
            return
        self._segments.delete_unused(segments, calibrations)

    def calibrations(self) -> set[str]:
        """Return the digests of all stored calibrations."""
        return self._segments.calibrations()

    def set_built(self, version: str) -> None:
        """Store the version that was built last. The stages up to its publication work on it."""
        self._history.set_built(version)

    def built_version(self) -> str:
        """Return the version that was built last.

        Raises `NoPublishedIndex` if no version was built yet, and `CorruptIndex` if the pointer is damaged.
        """
        version = self._history.built()
        if version is None:
            raise NoPublishedIndex("no index was built yet", remedy="Materialise prefilter_index")
        return version

    def published_version(self) -> str | None:
        """Return the version that answers; None before the first publication.

        Raises `CorruptIndex` if the pointer is damaged, and nothing else tells which version answers.
        """
        publication = self._history.published()
        return publication.version if publication else None

    def published(self) -> LibraryIndex:
        """Return the index that answers, with every part verified.

        If it is damaged, the last intact version that answered before it is returned, with a warning in the log.

        Raises
        ------
        NoPublishedIndex
            If no version was published yet.
        CorruptIndex
            If neither the index nor any version before it can be read.
        """
        version = self.published_version()
        if version is None:
            raise no_index()
        self._answering = version
        try:
            return self.read(version).load_all()
        except (CorruptIndex, NoPublishedIndex) as error:
            for former in answered_before(self.history()):
                index = self.intact(former)
                if index is not None:
                    _logger.warning("%s Until then, index %s answers, as before.", error, former)
                    return index
            raise

    def published_if_usable(self) -> LibraryIndex | None:
        """Return what `published` returns; None if it raises an error."""
        try:
            return self.published()
        except (NoPublishedIndex, CorruptIndex):
            return None

    def intact(self, version: str) -> LibraryIndex | None:
        """Read a version and verify all its parts; None if there is no such version or it is damaged."""
        try:
            return self.read(version).load_all()
        except (NoPublishedIndex, CorruptIndex):
            return None

    def remains(self, version: str) -> LibraryIndex | None:
        """Open a damaged version with only those of its segments that are intact; None if its ids are damaged, too.

        The calibration is verified when it is used, and raises `CorruptIndex` if it is damaged.
        """
        try:
            described = IndexDescription.read(self._folder(version))
            tracks = described.tracks([self._segments.read_tracks(name) for name in described.segments])
        except (BlobNotFound, CorruptIndex):
            return None
        return self._index(described, tracks, list(self._intact_segments(described.segments)))

    def _intact_segments(self, names: Iterable[str]) -> Iterator[Segment]:
        for name in names:
            with suppress(CorruptIndex):
                segment = self._segments.read(name)
                segment.load_all()
                yield segment

    def read_if_usable(self, version: str) -> LibraryIndex | None:
        """Read a version as `read` does; None if there is no such version or it cannot be read."""
        try:
            return self.read(version)
        except (NoPublishedIndex, CorruptIndex):
            return None

    def is_of_other_program(self, version: str) -> bool:
        """Return whether another version of this program made a stored version, so that it cannot answer here."""
        try:
            IndexDescription.read(self._folder(version))
        except IndexOfOtherProgram:
            return True
        except (BlobNotFound, CorruptIndex):
            pass
        return False

    def write_quality(self, version: str, quality: Mapping[str, float | None]) -> None:
        """Store the measured quality of an index."""
        write_json(self._blobs, CEPSTRA, part_name(version, "quality.json"), quality)

    def read_quality(self, version: str) -> dict[str, float | None]:
        """Return the measured quality of an index; empty if it was not measured, or the figures are damaged."""
        try:
            quality: dict[str, float | None] | None = read_json(
                self._blobs,
                CEPSTRA,
                part_name(version, "quality.json"),
                dict,
                damaged="the stored figures are damaged",
                remedy="The next run over the library measures those of the newest index again",
            )
        except CorruptIndex as error:
            _logger.warning("%s", error)
            return {}
        return quality or {}

    def write_attachment(self, version: str, name: str, content: bytes) -> None:
        """Store something that belongs to an index, such as a picture. It replaces what is stored under the name."""
        self._blobs.write(CEPSTRA, part_name(version, f"attachments/{name}"), content)

    def read_attachment(self, version: str, name: str) -> bytes | None:
        """Return the attachment of this name; None if there is none yet."""
        try:
            return self._blobs.read(CEPSTRA, part_name(version, f"attachments/{name}"))
        except BlobNotFound:
            return None

    def drawn_once(self, version: str, name: str, draw: Callable[[], bytes]) -> bytes:
        """Return a picture of an index that is drawn once and kept. A damaged one is drawn again."""
        kept = self.read_attachment(version, name)
        if kept is not None:
            try:
                return without_checksum(kept)
            except ValueError as error:
                _logger.warning("%s of index %s is damaged: %s", name, version, error)
        picture = draw()
        self.write_attachment(version, name, with_checksum(picture))
        return picture

    def _state(self, version: str) -> tuple[str, ...] | None:
        """Return a value that changes whenever the description of a version changes; None if there is none.

        Other files of a version are not part of the open index, and a run writes many of them while it is open.
        """
        files = (part_name(version, name) for name in (DESCRIPTION, CHANGES_PART))
        described, changes = (etag_of(self._blobs, CEPSTRA, name) for name in files)
        return None if described is None else (described, changes or "")

    def _is_unchanged(self, opened: "_Opened") -> bool:
        """Return whether the segments and the calibration of an open version are still what they were."""
        segments = opened.index.segments
        return (
            all(self._segments.read(segment.name) is segment for segment in segments)
            and self._segments.calibration_state(opened.index.calibrated_as) == opened.calibration_state
        )

    def _open(self, version: str, state: tuple[str, ...]) -> "_Opened":
        try:
            described = IndexDescription.read(self._folder(version))
        except BlobNotFound as error:
            raise NoPublishedIndex("there is no such index", subject=f"index {version}", remedy=REBUILD) from error
        calibration_state = self._segments.calibration_state(described.calibrated_as)
        self._segments.check_calibration(described.calibrated_as)
        segments = [self._segments.read(name) for name in described.segments]
        try:
            tracks = described.tracks([segment.tracks for segment in segments])
        except ValueError as error:
            raise corrupt_index(f"index {version}", "its segments do not fit each other") from error
        index = self._index(described, tracks, segments)
        if index.version != version:
            raise corrupt_index(f"index {version}", f"it holds index {index.version}")
        return _Opened(state, calibration_state, index)

    def _index(self, described: IndexDescription, tracks: TrackOfAudio, segments: Sequence[Segment]) -> LibraryIndex:
        return LibraryIndex(
            described.parameters,
            tracks,
            described.calibrated_tracks,
            described.calibrated_as,
            segments,
            partial(self._segments.read_calibration, described.calibrated_as, described.parameters.ranking),
        )

    def _folder(self, version: str) -> PartFolder:
        return PartFolder(self._blobs, f"indexes/{version}", DESCRIPTION, f"index {version}")


@dataclass(frozen=True, eq=False)
class _Opened:
    """An open version, and the states of its description and of its calibration when it was opened."""

    state: tuple[str, ...]
    calibration_state: tuple[str, ...] | None
    index: LibraryIndex
