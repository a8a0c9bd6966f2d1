"""Stores versions of the library's index in the container `cepstra`.

`IndexStore.write` makes these files of a version; each array has one row per audio, in the order of audio_ids.npy,
unless said otherwise:

indexes/<version>/audio_ids.npy                             the audio ids of the index, ascending
indexes/<version>/track_ids.npy                             the track that represents each audio
indexes/<version>/means.npy, covariances.npy, embeddings.npy, roughness.npy, timbre.npy, low_timbre.npy, treble.npy
                                                            the columns of the feature table
indexes/<version>/usual_means.npy, usual_deviations.npy     the distance statistics
indexes/<version>/outlines.npy, outline_starts.npy          the coarse contours: all frames, and the start of each
indexes/<version>/sketches.npy, sketch_starts.npy           the fingerprints: all frames, and the start of each
indexes/<version>/prefilter.faiss                           the vector index
indexes/<version>/calibration.npz                           the calibration: reference sample, embedding, timbre spaces
indexes/<version>/index.json                                parameters and checksums of the other files; written last,
                                                            so that a version without it does not exist

These files may follow:

indexes/<version>/{candidates,rankings}/<shard or upload id>.parquet   see `mfcc_assets.storage.ranking_store`
indexes/<version>/quality.json                              the measured quality of the rankings
indexes/<version>/attachments/<name>                        pictures, figures and digests that a version has

Beside the versions are the files that `mfcc_assets.storage.index_history` describes.
"""

import logging
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound, CorruptIndex, NoPublishedIndex
from mfcc_assets.search.index import IndexParameters, LibraryIndex
from mfcc_assets.similarity.rankings import RANKING_REVISION
from mfcc_assets.storage.blobs.json_blobs import read_json, write_json
from mfcc_assets.storage.blobs.port import CEPSTRA, Blob, BlobStore
from mfcc_assets.storage.checked_bytes import with_checksum, without_checksum
from mfcc_assets.storage.index_history import BY_RUN, IndexHistory, Publication, StoredVersion, answered_before
from mfcc_assets.storage.index_parts import (
    CALIBRATION_PART,
    COLUMN_PARTS,
    DESCRIPTION,
    PARTS,
    VECTOR_INDEX_PART,
    StoredPart,
    parameters_of_record,
    parameters_record,
    part_name,
    stored_part,
    write_calibration,
)
from mfcc_assets.storage.index_reader import REBUILD, REBUILD_FOR_THIS_PROGRAM, PartsOnDemand, corrupt_index
from mfcc_assets.storage.packed_arrays import packed, unpacked

_Kept = TypeVar("_Kept")
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

    Arrays of a stored index are memory-mapped, so opening a large index reads only the pages that are used. The
    checksum of a part is verified on its first use, and again after its blob has changed.

    Parameters
    ----------
    blobs
        Store that holds the indexes.
    recommended_by
        As for `mfcc_assets.storage.index_history.IndexHistory`.
    """

    def __init__(self, blobs: BlobStore, recommended_by: Callable[[], Sequence[str]] = lambda: ()) -> None:
        self._blobs = blobs
        self._history = IndexHistory(blobs, recommended_by)
        self._opened: OrderedDict[str, tuple[tuple[str, ...], LibraryIndex]] = OrderedDict()
        self._answering: str | None = None
        self._lock = Lock()

    def write(self, index: LibraryIndex) -> None:
        """Write an index under its version. Readers do not see it before it is complete."""
        arrays = {
            "audio_ids.npy": index.tracks.audio_ids.array,
            "track_ids.npy": index.tracks.track_ids.array,
            **{name: getattr(index.feature_table, column) for column, name in COLUMN_PARTS.items()},
            "usual_means.npy": index.statistics.means,
            "usual_deviations.npy": index.statistics.deviations,
            "outlines.npy": index.coarse_contours.frames,
            "outline_starts.npy": index.coarse_contours.starts,
            "sketches.npy": index.fingerprints.frames,
            "sketch_starts.npy": index.fingerprints.starts,
        }
        writers: dict[str, Callable[[Path], None]] = {
            **{name: partial(np.save, arr=array, allow_pickle=False) for name, array in arrays.items()},
            VECTOR_INDEX_PART: index.vector_index.write,
            CALIBRATION_PART: partial(write_calibration, index.calibration),
        }
        parts = {name: self._write_part(index.version, name, write) for name, write in writers.items()}
        record = {
            "parameters": parameters_record(index.parameters),
            "features_version": index.parameters.features.version,
            "ranking_revision": RANKING_REVISION,
            "tracks": len(index.tracks),
            "calibrated_tracks": index.calibrated_tracks,
            "calibrated_as": index.calibrated_as,
            "created_at": datetime.now(UTC).isoformat(),
            "parts": {name: asdict(part) for name, part in parts.items()},
        }
        write_json(self._blobs, CEPSTRA, part_name(index.version, DESCRIPTION), record)

    def read(self, version: str) -> LibraryIndex:
        """Open a version. Its parts are read on their first use.

        Raises
        ------
        NoPublishedIndex
            If there is no such version.
        CorruptIndex
            If the description or a part is missing, or a part has another size than was written. Other damage raises
            when the part is first used. Building the index again replaces it.
        """
        try:
            described = self._blobs.stat(CEPSTRA, part_name(version, DESCRIPTION)).etag
        except BlobNotFound as error:
            if version in self._history.damaged():
                raise corrupt_index(version, "index.json is missing") from error
            raise NoPublishedIndex("there is no such index", subject=f"index {version}", remedy=REBUILD) from error
        stored = {name: self._stored_part(version, name) for name in PARTS}
        etags = (described, *(part.etag for part in stored.values()))
        with self._lock:
            known, index = self._opened.get(version, ((), None))
            if index is None or known != etags:
                index = self._open(version, stored)
                self._opened[version] = (etags, index)
            self._opened.move_to_end(version)
            others = [each for each in self._opened if each != self._answering]
            for unused in others[: max(0, len(others) - _KEPT_OPEN)]:
                del self._opened[unused]
        return index

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

    def damaged_versions(self) -> list[str]:
        """Return every stored version whose description is damaged or lost."""
        return self._history.damaged()

    def delete(self, version: str) -> None:
        """Delete a version. The caller makes sure that it neither answers nor is about to answer."""
        self._history.delete(version)

    def set_built(self, version: str) -> None:
        """Store the version that was built last. The stages up to its publication work on it."""
        self._history.set_built(version)

    def built_version(self) -> str:
        """Return the version that was built last.

        Raises
        ------
        NoPublishedIndex
            If no version was built yet.
        CorruptIndex
            If the pointer is damaged.
        """
        version = self._history.built()
        if version is None:
            raise NoPublishedIndex("no index was built yet", remedy="Materialise prefilter_index")
        return version

    def published_version(self) -> str | None:
        """Return the version that answers; None before the first publication.

        Raises
        ------
        CorruptIndex
            If the pointer is damaged, and nothing else tells which version answers.
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
        """Open a damaged version whose description and ids are intact; None if they are not.

        Each other part is verified when it is used, and raises `CorruptIndex` if it is damaged.
        """
        try:
            return self._described(version)[0]
        except (BlobNotFound, CorruptIndex):
            return None

    def read_if_usable(self, version: str) -> LibraryIndex | None:
        """Read a version as `read` does; None if there is no such version or it cannot be read."""
        try:
            return self.read(version)
        except (NoPublishedIndex, CorruptIndex):
            return None

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
        if (picture := self._kept(version, name, without_checksum)) is None:
            self.write_attachment(version, name, with_checksum(picture := draw()))
        return picture

    def measured_once(
        self, version: str, name: str, measure: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        """Return arrays by name that are measured once for an index and kept. Damaged ones are measured again."""
        measured: Mapping[str, NDArray[Any]] | None = self._kept(version, name, unpacked)
        if measured is None:
            measured = measure()
            self.write_attachment(version, name, packed(measured))
        return measured

    def _kept(self, version: str, name: str, read: Callable[[bytes], _Kept]) -> _Kept | None:
        kept = self.read_attachment(version, name)
        try:
            return None if kept is None else read(kept)
        except ValueError as error:
            _logger.warning("%s of index %s is damaged: %s", name, version, error)
            return None

    def _stored_part(self, version: str, name: str) -> Blob:
        try:
            return self._blobs.stat(CEPSTRA, part_name(version, name))
        except BlobNotFound as error:
            raise corrupt_index(version, f"{name} is missing") from error

    def _open(self, version: str, stored: Mapping[str, Blob]) -> LibraryIndex:
        index, described = self._described(version)
        for name, part in described.items():
            if stored[name].size != part.bytes:
                raise corrupt_index(version, f"{name} is not what was written")
        return index

    def _described(self, version: str) -> tuple[LibraryIndex, Mapping[str, StoredPart]]:
        unusable = corrupt_index(version, "index.json does not describe an index")

        def parse(record: dict[str, Any]) -> tuple[IndexParameters, Mapping[str, StoredPart], int, str]:
            parameters = parameters_of_record(record["parameters"])
            made_by = record["features_version"], record.get("ranking_revision")
            if made_by != (parameters.features.version, RANKING_REVISION):
                # Its distances would be compared with others that are computed in another way.
                what = "another version of this program made the stored index"
                raise CorruptIndex(what, subject=unusable.subject, remedy=REBUILD_FOR_THIS_PROGRAM)
            return (
                parameters,
                {name: StoredPart(**record["parts"][name]) for name in PARTS},
                int(record["calibrated_tracks"]),
                str(record["calibrated_as"]),
            )

        name = part_name(version, DESCRIPTION)
        try:
            found = read_json(self._blobs, CEPSTRA, name, parse, damaged=unusable.what, remedy=unusable.remedy)
            if found is None:
                raise unusable
            parameters, described, calibrated_tracks, calibrated_as = found
            parts = PartsOnDemand(self._blobs, version, described, parameters.ranking)
            index = LibraryIndex(parameters, parts.tracks, calibrated_tracks, calibrated_as, parts)
        except CorruptIndex as error:
            raise error if error.subject == unusable.subject else unusable from error
        except ValueError as error:
            raise unusable from error
        if index.version != version:
            raise corrupt_index(version, f"it holds index {index.version}")
        return index, described

    def _write_part(self, version: str, name: str, write: Callable[[Path], None]) -> StoredPart:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            write(path)
            self._blobs.upload_file(CEPSTRA, part_name(version, name), path)
            return stored_part(path)
