"""Versions of the library's index in the container `cepstra`.

`mfcc_assets.storage.index_history` tells which of them answers.

Candidates and rankings lie beside the parts of a version: see `mfcc_assets.storage.ranking_store`.

indexes/<version>/index.json       parameters and checksums; written last: a version without it does not exist
indexes/<version>/audio_ids.npy    a row an audio, ascending: what the index was built from
indexes/<version>/track_ids.npy    the track that stands for it
indexes/<version>/means.npy, variances.npy, embeddings.npy, roughness.npy
indexes/<version>/outlines.npy, outline_starts.npy
indexes/<version>/sketches.npy, sketch_starts.npy
indexes/<version>/prefilter.faiss
indexes/<version>/attachments/<name>
indexes/built.json                 the pointer to the version that was built last
"""

import io
import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound, CorruptIndex, NoPublishedIndex
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.json_blobs import read_json, write_json
from mfcc_assets.storage.blobs.port import Blob, BlobStore
from mfcc_assets.storage.index_history import BY_RUN, Publication, StoredVersion, Versions
from mfcc_assets.storage.index_parts import (
    CALIBRATION_PART,
    COLUMN_PARTS,
    PARTS,
    VECTOR_INDEX_PART,
    StoredPart,
    parameters_of_record,
    parameters_record,
    stored_part,
    write_calibration,
)
from mfcc_assets.storage.index_reader import CONTAINER, REBUILD, PartsOnDemand, corrupt_index, part_name

_logger = logging.getLogger(__name__)

RECALL = "recall"
"""Under this name the quality of an index holds the recall of its rankings."""

_KEPT_OPEN = 2
"""Versions kept open: the published one, and the one that is being built."""

_BUILT = "indexes/built.json"
_ADD = "Add music with `mfcc add PATH`, or materialise the library"


class IndexStore:
    """Writes, reads and publishes indexes.

    Arrays of a stored index are memory-mapped, so that opening one of a million tracks reads what is looked at. What a
    part holds is verified when it is first looked at, and again where its blob has changed since.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._versions = Versions(blobs)
        self._opened: dict[str, tuple[tuple[str, ...], LibraryIndex]] = {}
        self._lock = Lock()

    def write(self, index: LibraryIndex) -> None:
        """Write an index under its version. A reader never sees half of one."""
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
        parts = {
            name: self._write_part(index.version, name, partial(np.save, arr=array, allow_pickle=False))
            for name, array in arrays.items()
        }
        parts[VECTOR_INDEX_PART] = self._write_part(index.version, VECTOR_INDEX_PART, index.vector_index.write)
        parts[CALIBRATION_PART] = self._write_part(
            index.version, CALIBRATION_PART, partial(write_calibration, index.calibration)
        )
        record = {
            "parameters": parameters_record(index.parameters),
            "features_version": index.parameters.features.version,
            "tracks": len(index.tracks),
            "calibrated_tracks": index.calibrated_tracks,
            "calibrated_as": index.calibrated_as,
            "created_at": datetime.now(UTC).isoformat(),
            "parts": {name: asdict(part) for name, part in parts.items()},
        }
        write_json(self._blobs, CONTAINER, f"indexes/{index.version}/index.json", record)

    def read(self, version: str) -> LibraryIndex:
        """Read a version back: what of it is looked at, when it is looked at.

        Raises
        ------
        NoPublishedIndex
            There is no such version.
        CorruptIndex
            A part is missing or is not what was written; here where its size tells, and otherwise from the index when
            the part is looked at. To build the index again replaces it.
        """
        name = f"indexes/{version}/index.json"
        try:
            described = self._blobs.stat(CONTAINER, name).etag
        except BlobNotFound as error:
            raise NoPublishedIndex("there is no such index", subject=f"index {version}", remedy=REBUILD) from error
        stored = {name: self._stored_part(version, name) for name in PARTS}
        etags = (described, *(part.etag for part in stored.values()))
        with self._lock:
            known, index = self._opened.get(version, ((), None))
            if index is None or known != etags:
                index = self._open(version, stored)
                self._opened.pop(version, None)
                self._opened[version] = (etags, index)
                while len(self._opened) > _KEPT_OPEN:
                    del self._opened[next(iter(self._opened))]
        return index

    def publish(self, version: str, *, by: str = BY_RUN, withdraws_former: bool = False) -> None:
        """Let this version answer from now on; for what is said of it see `Publication`.

        Raises
        ------
        NoPublishedIndex
            There is no such version.
        CorruptIndex
            The history of publications cannot be read.
        Conflict
            Somebody else published meanwhile, and that counts.
        """
        if not self._versions.exists(version):
            raise NoPublishedIndex("there is no such index", subject=f"index {version}", remedy=REBUILD)
        self._versions.publish(version, by=by, withdraws_former=withdraws_former)

    def history(self) -> list[Publication]:
        """All publications, oldest first; CorruptIndex where they cannot be read."""
        return self._versions.history()

    def versions(self) -> list[StoredVersion]:
        """Every version that is stored, oldest first."""
        return self._versions.stored()

    def delete(self, version: str) -> None:
        """Remove a version that neither answers nor is to answer."""
        self._versions.delete(version)

    def set_built(self, version: str) -> None:
        """Remember the version that was built last, which the stages up to its publication work on."""
        write_json(self._blobs, CONTAINER, _BUILT, {"version": version})

    def built_version(self) -> str:
        """The version that was built last.

        Raises
        ------
        NoPublishedIndex
            None was built yet.
        CorruptIndex
            What is remembered cannot be read.
        """
        version = read_json(
            self._blobs,
            CONTAINER,
            _BUILT,
            lambda record: str(record["version"]),
            damaged="the pointer names no index",
            remedy="Delete that blob. Materialise the library again",
        )
        if version is None:
            raise NoPublishedIndex("no index was built yet", remedy="Materialise prefilter_index")
        return version

    def published_version(self) -> str | None:
        """The version that answers; None before the first was published.

        Raises
        ------
        CorruptIndex
            The pointer cannot be read.
        """
        publication = self._versions.published()
        return publication.version if publication else None

    def published(self) -> LibraryIndex:
        """The index that answers.

        Raises
        ------
        NoPublishedIndex
            None was published yet.
        CorruptIndex
            It cannot be read.
        """
        version = self.published_version()
        if version is None:
            raise NoPublishedIndex("there is no index to search yet", remedy=_ADD)
        return self.read(version)

    def published_if_usable(self) -> LibraryIndex | None:
        """The index that answers, every part of it verified; None where there is none, or it cannot be read."""
        try:
            return self.published().opened()
        except (NoPublishedIndex, CorruptIndex):
            return None

    def read_if_usable(self, version: str) -> LibraryIndex | None:
        """Read a version as `read` does; None if there is no such version or it cannot be read."""
        try:
            return self.read(version)
        except (NoPublishedIndex, CorruptIndex):
            return None

    def write_quality(self, version: str, quality: Mapping[str, float | None]) -> None:
        """Keep what was measured of an index."""
        write_json(self._blobs, CONTAINER, f"indexes/{version}/quality.json", quality)

    def read_quality(self, version: str) -> dict[str, float | None]:
        """What was measured of an index; nothing where it was not.

        Raises
        ------
        CorruptIndex
            It cannot be read.
        """
        quality: dict[str, float | None] | None = read_json(
            self._blobs,
            CONTAINER,
            f"indexes/{version}/quality.json",
            dict,
            damaged="the stored figures are damaged",
            remedy="Materialise recommendation_quality again",
        )
        return quality or {}

    def write_attachment(self, version: str, name: str, content: bytes) -> None:
        """Keep what was made of an index and is always the same: a picture, or figures that take long."""
        self._blobs.write(CONTAINER, f"indexes/{version}/attachments/{name}", content)

    def read_attachment(self, version: str, name: str) -> bytes | None:
        """What was kept under this name; None where it was not made yet."""
        try:
            return self._blobs.read(CONTAINER, f"indexes/{version}/attachments/{name}")
        except BlobNotFound:
            return None

    def drawn_once(self, version: str, name: str, draw: Callable[[], bytes]) -> bytes:
        """A picture of an index. It is drawn once: with matplotlib's import that takes a second."""
        picture = self.read_attachment(version, name)
        if picture is None:
            picture = draw()
            self.write_attachment(version, name, picture)
        return picture

    def measured_once(
        self, version: str, name: str, measure: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        """Arrays by name that are measured of an index once. Damaged ones are measured again."""
        kept = self.read_attachment(version, name)
        if kept is not None:
            try:
                with np.load(io.BytesIO(kept), allow_pickle=False) as arrays:
                    return dict(arrays)
            except (EOFError, OSError, ValueError, BadZipFile) as error:
                _logger.warning("%s of index %s is damaged: %s", name, version, error)
        measured = measure()
        written = io.BytesIO()
        np.savez(written, allow_pickle=False, **measured)
        self.write_attachment(version, name, written.getvalue())
        return measured

    def _stored_part(self, version: str, name: str) -> Blob:
        try:
            return self._blobs.stat(CONTAINER, part_name(version, name))
        except BlobNotFound as error:
            raise corrupt_index(version, f"{name} is missing") from error

    def _open(self, version: str, stored: Mapping[str, Blob]) -> LibraryIndex:
        try:
            record = json.loads(self._blobs.read(CONTAINER, f"indexes/{version}/index.json"))
            described = {name: StoredPart(**record["parts"][name]) for name in PARTS}
            parameters = parameters_of_record(record["parameters"])
            calibrated_tracks, calibrated_as = int(record["calibrated_tracks"]), str(record["calibrated_as"])
        except (BlobNotFound, KeyError, TypeError, ValueError) as error:
            raise corrupt_index(version, "index.json does not describe an index") from error
        for name, part in described.items():
            if stored[name].size != part.bytes:
                raise corrupt_index(version, f"{name} is not what was written")
        parts = PartsOnDemand(self._blobs, version, described, parameters.ranking)
        try:
            tracks = parts.tracks
        except ValueError as error:
            raise corrupt_index(version, "index.json does not describe an index") from error
        index = LibraryIndex(parameters, tracks, calibrated_tracks, calibrated_as, parts)
        if index.version != version:
            raise corrupt_index(version, f"it holds index {index.version}")
        return index

    def _write_part(self, version: str, name: str, write: Callable[[Path], None]) -> "StoredPart":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            write(path)
            self._blobs.upload_file(CONTAINER, part_name(version, name), path)
            return stored_part(path)
