"""Stores the segments and the calibrations of indexes in the container `cepstra`. Versions of the index share them.

index_segments/<name>/audio_ids.npy                         the audio ids of the segment, ascending
index_segments/<name>/track_ids.npy                         the track that represented each audio
index_segments/<name>/means.npy, covariances.npy, embeddings.npy, roughness.npy, timbre.npy, low_timbre.npy, treble.npy
                                                            the columns of the feature table
index_segments/<name>/usual_means.npy, usual_deviations.npy the distance statistics
index_segments/<name>/outlines.npy, outline_starts.npy      the coarse contours: all frames, and the start of each
index_segments/<name>/contours.npy, contour_starts.npy      the contours: all frames, and the start of each
index_segments/<name>/sketches.npy, sketch_starts.npy       the fingerprints: all frames, and the start of each
index_segments/<name>/prefilter.faiss                       the points in the vector index
index_segments/<name>/segment.json                          sizes and checksums of the other files, written last

index_calibrations/<digest>/calibration.npz                 reference sample, embedding, timbre spaces, lists
index_calibrations/<digest>/description.json                its size and checksum, written last

Each array has one row per audio, in the order of audio_ids.npy, unless said otherwise.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound, CorruptIndex, UnknownRanking
from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import Calibration
from mfcc_assets.search.segment import Segment
from mfcc_assets.search.vector_index import SegmentPoints
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.index_parts import COLUMN_PARTS, read_calibration, write_calibration
from mfcc_assets.storage.part_folder import PartFolder, StoredPart, corrupt_index
from mfcc_assets.storage.verified_parts import VerifiedParts

_SEGMENTS, _CALIBRATIONS = "index_segments", "index_calibrations"
_IDS = ("audio_ids.npy", "track_ids.npy")
_POINTS_PART, _CALIBRATION_PART = "prefilter.faiss", "calibration.npz"

SEGMENT_PARTS = (
    *_IDS,
    *COLUMN_PARTS.values(),
    "usual_means.npy",
    "usual_deviations.npy",
    "outlines.npy",
    "outline_starts.npy",
    "contours.npy",
    "contour_starts.npy",
    "sketches.npy",
    "sketch_starts.npy",
    _POINTS_PART,
)

_BEING_WRITTEN = timedelta(hours=1)
"""Time for which nothing is deleted because no version uses it. The version that will use it may not be written yet."""


class IndexSegments:
    """Writes, reads and deletes segments and calibrations.

    A segment that is opened stays the same object while somebody uses it and its files do not change. So versions of
    the index share the memory of a segment, and a process verifies each part at most once.

    Parameters
    ----------
    blobs
        Store that holds the segments.
    known
        As for `mfcc_assets.storage.part_folder.PartFolder`.
    """

    def __init__(self, blobs: BlobStore, known: VerifiedParts | None = None) -> None:
        self._blobs, self._known = blobs, known
        self._opened: WeakValueDictionary[str, Segment] = WeakValueDictionary()
        self._states: dict[str, tuple[str, ...]] = {}
        self._lock = Lock()

    def write(self, segment: Segment) -> None:
        """Write a segment, unless it was read from here and is intact."""
        if self._opened.get(segment.name) is segment:
            return
        arrays: dict[str, NDArray[Any]] = {
            "audio_ids.npy": segment.tracks.audio_ids.array,
            "track_ids.npy": segment.tracks.track_ids.array,
            **{name: getattr(segment.feature_table, column) for column, name in COLUMN_PARTS.items()},
            "usual_means.npy": segment.statistics.means,
            "usual_deviations.npy": segment.statistics.deviations,
            "outlines.npy": segment.coarse_contours.frames,
            "outline_starts.npy": segment.coarse_contours.starts,
            "contours.npy": segment.contours.frames,
            "contour_starts.npy": segment.contours.starts,
            "sketches.npy": segment.fingerprints.frames,
            "sketch_starts.npy": segment.fingerprints.starts,
        }
        writers = {name: partial(np.save, arr=array, allow_pickle=False) for name, array in arrays.items()}
        self._segment_folder(segment.name).write(
            {**writers, _POINTS_PART: segment.points.write}, {"made_with": segment.made_with, "tracks": len(segment)}
        )

    def read(self, name: str) -> Segment:
        """Open a segment. Its large parts are read on their first use.

        Raises
        ------
        CorruptIndex
            If the segment or a part of it is missing, or has another size than was written. Other damage raises when
            the part is first used.
        """
        folder = self._segment_folder(name)
        state = folder.state()
        with self._lock:
            opened = self._opened.get(name)
            if opened is not None and state is not None and self._states.get(name) == state:
                return opened
        segment = self._read(name, folder)
        with self._lock:
            self._opened[name] = segment
            self._states = {each: self._states[each] for each in self._opened if each in self._states}
            if state is not None:
                self._states[name] = state
        return segment

    def read_tracks(self, name: str) -> TrackOfAudio:
        """Read only the ids of a segment. The other parts may be damaged.

        Raises
        ------
        CorruptIndex
            If the description or an id is damaged.
        """
        return self._tracks(self._segment_folder(name))[1]

    def write_calibration(self, calibration: Calibration) -> None:
        """Write a calibration, unless it is stored and intact."""
        folder = self._calibration_folder(calibration.digest)
        try:
            with folder.verified(_CALIBRATION_PART, folder.record([_CALIBRATION_PART])[1][_CALIBRATION_PART]):
                return
        except (BlobNotFound, CorruptIndex):
            folder.write({_CALIBRATION_PART: partial(write_calibration, calibration)}, {})

    def calibrations(self) -> set[str]:
        """Return the digests of all stored calibrations."""
        return self._blobs.folders(CEPSTRA, _CALIBRATIONS)

    def check_calibration(self, digest: str) -> None:
        """Find out whether a calibration is stored, without reading it.

        Raises
        ------
        CorruptIndex
            If the calibration is missing, or has another size than was written.
        """
        self._part_of_calibration(self._calibration_folder(digest))

    def calibration_state(self, digest: str) -> tuple[str, ...] | None:
        """Return a value that changes whenever the calibration may have changed; None if it is not stored."""
        return self._calibration_folder(digest).state()

    def read_calibration(self, digest: str, ranking: str) -> Calibration:
        """Read a calibration of a ranking.

        Raises
        ------
        CorruptIndex
            If it is missing or damaged.
        """
        folder = self._calibration_folder(digest)
        with folder.verified(_CALIBRATION_PART, self._part_of_calibration(folder)) as path:
            try:
                return read_calibration(path, ranking_named(ranking))
            except (KeyError, OSError, ValueError, BadZipFile, UnknownRanking) as error:
                what = f"{_CALIBRATION_PART} holds no calibration of {ranking}"
                raise corrupt_index(folder.subject, what) from error

    def delete_unused(self, segments: Collection[str], calibrations: Collection[str]) -> None:
        """Delete all segments and calibrations but some, which versions of the index use."""
        for kind, used in ((_SEGMENTS, segments), (_CALIBRATIONS, calibrations)):
            for name in sorted(self._blobs.folders(CEPSTRA, kind) - set(used)):
                files = list(self._blobs.list(CEPSTRA, f"{kind}/{name}/"))
                if files and datetime.now(UTC) - max(blob.modified for blob in files) > _BEING_WRITTEN:
                    folder = self._segment_folder if kind == _SEGMENTS else self._calibration_folder
                    folder(name).delete()

    def _read(self, name: str, folder: PartFolder) -> Segment:
        made_with, tracks = self._tracks(folder)
        segment = Segment(tracks, made_with, _PartsOnDemand(folder, folder.record(SEGMENT_PARTS)[1], tracks))
        if segment.name != name:
            raise corrupt_index(folder.subject, f"it holds segment {segment.name}")
        return segment

    def _tracks(self, folder: PartFolder) -> tuple[str, TrackOfAudio]:
        """Read what a segment was made with, and its ids."""
        try:
            record, parts = folder.record(_IDS)
            ids = [IdArray[Any](folder.array(name, parts[name])) for name in _IDS]
            return str(record["made_with"]), TrackOfAudio(*ids)
        except BlobNotFound as error:
            raise corrupt_index(folder.subject, "segment.json is missing") from error
        except (KeyError, ValueError) as error:
            raise corrupt_index(folder.subject, "segment.json does not describe it") from error

    def _part_of_calibration(self, folder: PartFolder) -> StoredPart:
        try:
            return folder.record([_CALIBRATION_PART])[1][_CALIBRATION_PART]
        except BlobNotFound as error:
            raise corrupt_index(folder.subject, "description.json is missing") from error

    def _segment_folder(self, name: str) -> PartFolder:
        return PartFolder(self._blobs, f"{_SEGMENTS}/{name}", "segment.json", f"index segment {name}", self._known)

    def _calibration_folder(self, digest: str) -> PartFolder:
        return PartFolder(self._blobs, f"{_CALIBRATIONS}/{digest}", "description.json", f"index calibration {digest}")


class _PartsOnDemand:
    """The parts of a stored segment; see `mfcc_assets.search.segment.SegmentParts`. The arrays are memory-mapped."""

    def __init__(self, folder: PartFolder, parts: Mapping[str, StoredPart], tracks: TrackOfAudio) -> None:
        self._folder, self._parts, self._tracks = folder, parts, tracks

    @property
    def feature_table(self) -> FeatureTable:
        return FeatureTable(**{column: self._array(name) for column, name in COLUMN_PARTS.items()})

    @property
    def coarse_contours(self) -> RaggedFrames:
        return RaggedFrames(self._array("outlines.npy"), self._array("outline_starts.npy"))

    @property
    def contours(self) -> RaggedFrames:
        return RaggedFrames(self._array("contours.npy"), self._array("contour_starts.npy"))

    @property
    def fingerprints(self) -> Fingerprints:
        return Fingerprints(self._array("sketches.npy"), self._array("sketch_starts.npy"), self._tracks.audio_ids)

    @property
    def points(self) -> SegmentPoints:
        with self._folder.verified(_POINTS_PART, self._parts[_POINTS_PART]) as path:
            try:
                return SegmentPoints.read(path, len(self._tracks))
            except CorruptIndex as error:
                raise corrupt_index(self._folder.subject, error.what) from error

    @property
    def statistics(self) -> DistanceStatistics:
        return DistanceStatistics(self._array("usual_means.npy"), self._array("usual_deviations.npy"))

    def _array(self, name: str) -> NDArray[Any]:
        return self._folder.array(name, self._parts[name])
