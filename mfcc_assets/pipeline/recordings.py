"""The recordings of an index: which of its tracks are copies of each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.credits import named
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_rules import same_recording_by_row
from mfcc_assets.recognition.copies import group_copies, represented_by
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.shared_tables import Table

_NAME = "copies.table"


@dataclass(frozen=True, eq=False)
class Recordings:
    """The recordings of an index. One track represents each recording in candidates, rankings and lists.

    Attributes
    ----------
    tracks
        Tracks of the index.
    rows : (tracks,)
        Row of the track that represents the recording of each track.
    """

    tracks: TrackOfAudio
    rows: NDArray[np.int64]

    @cached_property
    def represents(self) -> NDArray[np.bool_]:
        """Whether each track (tracks,) represents its recording."""
        found: NDArray[np.bool_] = self.rows == np.arange(len(self.rows))
        return found

    @property
    def count(self) -> int:
        """Number of recordings."""
        return int(self.represents.sum())

    def of(self, audio_ids: Sequence[AudioId]) -> list[AudioId]:
        """Return the audio id of the track that represents each audio id. Audio that has no row represents itself."""
        rows = self.tracks.rows(audio_ids).tolist()
        return [
            audio_id if row < 0 or self.rows[row] == row else self.tracks.audio_ids[int(self.rows[row])]
            for audio_id, row in zip(audio_ids, rows, strict=True)
        ]

    def copies(self, audio_ids: Iterable[AudioId]) -> set[AudioId]:
        """Return the audio ids, and those of all tracks of the index that are the same recordings."""
        found = set(audio_ids)
        rows = self.tracks.rows(sorted(found))
        same = np.isin(self.rows, self.rows[rows[rows >= 0]])
        return found | {self.tracks.audio_ids[row] for row in np.flatnonzero(same).tolist()}

    def representing(self, audio_ids: Iterable[AudioId]) -> list[AudioId]:
        """Return those of the audio ids that represent a recording of the index."""
        every = list(audio_ids)
        rows = self.tracks.rows(every)
        represents = (rows >= 0) & (self.rows[rows] == rows) if len(self.rows) else np.zeros(len(every), np.bool_)
        return [every[place] for place in np.flatnonzero(represents).tolist()]


_known: WeakKeyDictionary[LibraryIndex, Recordings] = WeakKeyDictionary()


def recordings_of(library: Library, index: LibraryIndex) -> Recordings:
    """Return the recordings of an index. They are found once for each index version.

    The groups of the published index are taken over, so only new tracks are compared. A track that represented its
    recording still does, so a copy that is added later does not take its place in lists. A new recording is represented
    by the copy whose tags tell most, because lists show these tags.
    """
    known = _known.get(index)
    if known is None:
        known = _known[index] = Recordings(index.tracks, _rows(library, index))
    return known


def _rows(library: Library, index: LibraryIndex) -> NDArray[np.int64]:
    """Return the row of the track that represents the recording of each track, and store them if they are not."""
    stored = library.tables.read(index.version, _NAME)
    rows = None if stored is None else _stored_rows(index, stored)
    if rows is None:
        former = library.indexes.published_if_usable()
        if former is not None and former.version == index.version:
            former = None
        if former is not None and former.parameters.features != index.parameters.features:
            former = None
        rows = _rows_anew(library, index, former)
        # Most tracks are the only copy of their recording.
        copies = np.flatnonzero(rows != np.arange(len(rows)))
        ids = index.tracks.audio_ids.array
        table = Table(IdArray(ids[copies]), ids[rows[copies]][:, np.newaxis])
        library.tables.write(index.version, _NAME, table, former=former.version if former is not None else None)
    return rows


def _stored_rows(index: LibraryIndex, table: Table) -> NDArray[np.int64] | None:
    """Return the rows that a table of copies and of the tracks that represent them gives; None if it does not fit."""
    if table.values.shape[1:] != (1,) or table.values.dtype.kind != "S":
        return None
    copies = index.tracks.rows(table.audio_ids)
    representing = index.tracks.rows(IdArray[AudioId](np.ascontiguousarray(table.values[:, 0])))
    if min(copies.min(initial=0), representing.min(initial=0)) < 0:
        return None
    rows = np.arange(len(index.tracks))
    rows[copies] = representing
    return rows


def _rows_anew(library: Library, index: LibraryIndex, former: LibraryIndex | None) -> NDArray[np.int64]:
    if former is None:
        found = _found(library, index, range(len(index.tracks)), [])
        return represented_by(found, _copies(library, index, found))
    known = former.tracks.rows(index.tracks.audio_ids)
    recordings = recordings_of(library, former)
    found = _found(library, index, np.flatnonzero(known < 0).tolist(), _groups(recordings, known))
    kept = np.flatnonzero(known >= 0)
    former_ones = kept[recordings.represents[known[kept]]]
    return represented_by(found, np.append(former_ones, _copies(library, index, found)))


def _copies(library: Library, index: LibraryIndex, first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of all tracks that have copies, those first whose tags name both the artist and the album."""
    rows = np.flatnonzero(np.bincount(first, minlength=len(first))[first] > 1)
    credited = library.catalogue.credits() if len(rows) else {}

    def named_count(row: int) -> int:
        credit = credited.get(index.tracks.audio_ids[row])
        return sum(bool(named(name)) for name in (credit.artist, credit.album)) if credit else 0

    return np.array(sorted(rows.tolist(), key=named_count, reverse=True), np.int64)


def _groups(former: Recordings, known: NDArray[np.int64]) -> Iterable[Sequence[int]]:
    """Return the groups of a former index, by the rows of the new one; `known` holds the former row of each row."""
    rows = np.flatnonzero(known >= 0)
    recordings = former.rows[known[rows]]
    order = np.argsort(recordings, kind="stable")
    starts = np.flatnonzero(np.diff(recordings[order])) + 1
    return (group.tolist() for group in np.split(rows[order], starts) if len(group) > 1)


def _found(
    library: Library, index: LibraryIndex, rows: Iterable[int], known: Iterable[Sequence[int]]
) -> NDArray[np.int64]:
    def nearest(queries: Sequence[int], count: int) -> list[list[int]]:
        embeddings = index.calibration.embedding(index.feature_table.rows(np.array(queries)))
        return [index.tracks.rows(found).tolist() for found in index.vector_index.search(embeddings, count)]

    return group_copies(len(index.tracks), rows, nearest, same_recording_by_row(library, index), known)
