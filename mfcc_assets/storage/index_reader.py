"""Reads the parts of a stored index when they are first used, and verifies them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound, CorruptIndex, UnknownRanking
from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import Calibration
from mfcc_assets.search.vector_index import VectorIndex
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.rankings import ranking_named
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.index_parts import (
    CALIBRATION_PART,
    COLUMN_PARTS,
    VECTOR_INDEX_PART,
    StoredPart,
    part_name,
    read_calibration,
    stored_part,
)

REBUILD = "The next run over the library builds it again: `mfcc sync` starts one"
"""Remedy for an index that is missing or damaged."""

REBUILD_FOR_THIS_PROGRAM = "The next run over the library builds another one: `mfcc sync` starts one"
"""Remedy for an index that only another version of this program can use."""


class PartsOnDemand:
    """The parts of a stored index; see `mfcc_assets.search.index.IndexParts`.

    Each part is read and verified when it is accessed. The arrays are memory-mapped.

    Parameters
    ----------
    blobs
        Store that holds the index.
    version
        Version of the index.
    described
        Size and checksum of each part by its name.
    ranking
        Name of the index's ranking.
    """

    def __init__(self, blobs: BlobStore, version: str, described: Mapping[str, StoredPart], ranking: str) -> None:
        self._blobs, self._version, self._described, self._ranking = blobs, version, described, ranking

    @cached_property
    def tracks(self) -> TrackOfAudio:
        """Track id of each audio id.

        Raises
        ------
        ValueError
            If both parts do not fit each other.
        """
        return TrackOfAudio(IdArray(self._array("audio_ids.npy")), IdArray(self._array("track_ids.npy")))

    @property
    def feature_table(self) -> FeatureTable:
        return FeatureTable(**{column: self._array(name) for column, name in COLUMN_PARTS.items()})

    @property
    def coarse_contours(self) -> RaggedFrames:
        return RaggedFrames(self._array("outlines.npy"), self._array("outline_starts.npy"))

    @property
    def fingerprints(self) -> Fingerprints:
        return Fingerprints(self._array("sketches.npy"), self._array("sketch_starts.npy"), self.tracks.audio_ids)

    @property
    def vector_index(self) -> VectorIndex:
        with self._verified(VECTOR_INDEX_PART) as path:
            try:
                return VectorIndex.read(path, self.tracks.audio_ids)
            except CorruptIndex as error:
                raise corrupt_index(self._version, error.what) from error

    @property
    def statistics(self) -> DistanceStatistics:
        return DistanceStatistics(self._array("usual_means.npy"), self._array("usual_deviations.npy"))

    @property
    def calibration(self) -> Calibration:
        with self._verified(CALIBRATION_PART) as path:
            try:
                return read_calibration(path, ranking_named(self._ranking))
            except (KeyError, OSError, ValueError, BadZipFile, UnknownRanking) as error:
                what = f"{CALIBRATION_PART} holds no calibration of {self._ranking}"
                raise corrupt_index(self._version, what) from error

    def _array(self, name: str) -> NDArray[Any]:
        with self._verified(name) as path:
            try:
                mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
            except (EOFError, OSError, ValueError) as error:
                # It became shorter after it was verified.
                raise corrupt_index(self._version, f"{name} is not what was written") from error
        return mapped.view(np.ndarray)

    @contextmanager
    def _verified(self, name: str) -> Iterator[Path]:
        """Give a part as a file. A memory map of it stays valid after the ``with``, even if the file is deleted."""
        try:
            with self._blobs.as_file(CEPSTRA, part_name(self._version, name)) as path:
                if stored_part(path) != self._described[name]:
                    raise corrupt_index(self._version, f"{name} is not what was written")
                yield path
        except BlobNotFound as error:
            raise corrupt_index(self._version, f"{name} is missing") from error


def corrupt_index(version: str, what: str) -> CorruptIndex:
    """Make the error for a damaged index."""
    return CorruptIndex(f"the stored index is corrupt: {what}", subject=f"index {version}", remedy=REBUILD)
