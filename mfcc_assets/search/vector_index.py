"""The vector index, which finds the candidates that dynamic time warping then ranks.

A search in a small library compares the query with all tracks. A large library has an inverted file (Jégou, Douze and
Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011, section IV, without the product quantizer):
k-means divides the embeddings into lists, and a query searches the few lists whose centres are nearest.

Each segment of an index has its own `SegmentPoints`. All of them have the same lists, so a search finds the same tracks
whatever the segments are.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import faiss
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import AudioId
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.places import Places

LARGEST_FLAT = 15_000
"""Largest number of tracks whose library gets no lists when it is calibrated. All its tracks are searched exhaustively,
which is exact. In a larger library it takes less time to train lists and search them for every track than to search all
tracks for every track."""

PROBES = 128
"""Least number of lists that a query searches. In a million embeddings, 128 lists hold 99.3 of the 100 nearest on
average, and 64 lists hold 98.3."""

_SURPLUS = 10
"""If many tracks are wanted, a query searches more lists, which hold this many times as many tracks. Of the 10,000
nearest of a million, 128 lists hold 90 %, and the 528 lists that are searched instead hold 99.5 %."""

_FEW_POINTS_A_LIST = 2
"""Number of points for each list below which a segment is stored without its lists. The centre of a list takes as much
space as two points. A run that adds one track would otherwise write the centres of the whole library."""

_SAMPLE_PER_LIST = 40
"""Number of embeddings for each list that k-means is trained on. A larger sample gives no better lists."""

_REBUILD = "Materialise prefilter_index again"

# With matrix products FAISS would round the distances of many queries differently, depending on how many tracks the
# segment has.
faiss.cvar.distance_compute_blas_threshold = np.iinfo(np.int32).max


def trained_centres(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the centres (lists, width) of the lists of a library; none if it is small.

    FAISS has a fixed seed for k-means, so the same rows give the same centres on any number of threads.

    Parameters
    ----------
    embeddings : (tracks, width) float32
        Points of all tracks.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    tracks, width = embeddings.shape
    if tracks <= LARGEST_FLAT:
        return np.empty((0, width), np.float32)
    index = inverted_file(width, number_of_lists(tracks))
    index.train(_finite(embeddings))
    centres: NDArray[np.float32] = index.quantizer.reconstruct_n(0, index.nlist)
    return centres


def number_of_lists(tracks: int) -> int:
    """Return how many lists a large library gets."""
    return round(4 * math.sqrt(tracks))


class SegmentPoints:
    """Finds the nearest neighbours among the embeddings of one segment.

    Parameters
    ----------
    embeddings : (tracks, width) float32
        Points of the tracks; see `mfcc_assets.search.embedding`.
    centres : (lists, width) float32
        Centres of the lists. Without any, each search compares with all points.

    Raises
    ------
    ValueError
        If the shapes do not agree, or if a value is not finite.
    """

    def __init__(self, embeddings: NDArray[np.float32], centres: NDArray[np.float32]) -> None:
        if embeddings.ndim != 2 or embeddings.shape[1:] != centres.shape[1:]:
            raise ValueError(f"expected embeddings of {centres.shape[1]} numbers, not of shape {embeddings.shape}")
        self._index: faiss.Index = faiss.IndexFlatL2(centres.shape[1])
        self._without_lists: faiss.Index | None = None
        if len(embeddings) < _FEW_POINTS_A_LIST * len(centres):
            self._without_lists = faiss.IndexFlatL2(centres.shape[1])
            self._without_lists.add(_finite(embeddings))
        if len(centres):
            self._index = inverted_file(centres.shape[1], len(centres))
            self._index.quantizer.add(_finite(centres))
            # Without k-means, this only makes the index ready.
            self._index.train(_finite(centres))
        self._index.add(_finite(embeddings))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def width(self) -> int:
        """Number of dimensions."""
        return int(self._index.d)

    @property
    def lists(self) -> int:
        """Number of lists; 0 if each search compares with all points."""
        return int(self._index.nlist) if isinstance(self._index, faiss.IndexIVF) else 0

    def nearest(
        self, embeddings: NDArray[np.float32], count: int, among: NDArray[np.bool_], probes: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the squared distances and the rows (queries, at most count) of the nearest points.

        Where fewer points are found, the rest of a row has infinite distances and the row -1.

        Parameters
        ----------
        embeddings : (queries, width) float32
            Points of the queries, which are finite.
        count
            Number of points to find.
        among : (tracks,)
            Whether each point may be found.
        probes
            Number of lists that are searched.
        """
        count = min(count, int(among.sum()))
        if not count:
            return np.empty((len(embeddings), 0), np.float32), np.empty((len(embeddings), 0), np.int64)
        # FAISS does not keep the bits and the selector alive.
        bits = np.packbits(among, bitorder="little")
        selector = None if among.all() else faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        # FAISS runs one query on the calling thread, and several queries on all cores.
        distances, rows = self._index.search(embeddings, count, params=self._parameters(selector, probes))
        return np.where(rows < 0, np.float32(np.inf), distances), rows

    def _parameters(self, selector: faiss.IDSelector | None, probes: int) -> faiss.SearchParameters:
        if not self.lists:
            parameters = faiss.SearchParameters()
            parameters.sel = selector
            return parameters
        of_lists = faiss.SearchParametersIVF()
        of_lists.sel, of_lists.nprobe = selector, probes
        return of_lists

    def with_lists(self, centres: NDArray[np.float32]) -> "SegmentPoints":
        """Return the same points with the lists of the library, if they were stored without them."""
        if self.lists == len(centres):
            return self
        return SegmentPoints(self._index.reconstruct_n(0, len(self)), centres)

    def write(self, file: BinaryIO) -> None:
        """Write the embeddings and lists in FAISS's own format. A segment of few points is written without lists."""
        index = self._index if self._without_lists is None else self._without_lists
        file.write(faiss.serialize_index(index).tobytes())

    @classmethod
    def read(cls, path: Path, tracks: int) -> "SegmentPoints":
        """Read what `write` wrote. `with_lists` completes it.

        The file is memory-mapped. It may be deleted while the index is in use, but it must not be changed.

        Raises
        ------
        CorruptIndex
            If FAISS cannot read the file, or if it has another number of tracks.
        """
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise CorruptIndex("FAISS cannot read the stored index", remedy=_REBUILD) from error
        if index.ntotal != tracks:
            raise CorruptIndex(
                f"the index holds {index.ntotal} tracks, but its list of tracks holds {tracks}", remedy=_REBUILD
            )
        points = cls.__new__(cls)
        points._index, points._without_lists = index, None  # noqa: SLF001  of its own class
        return points


class VectorIndex:
    """Finds the nearest neighbours of embeddings in an index: exact without lists, approximate with lists.

    Parameters
    ----------
    audio_ids : (tracks,)
        Audio id of each row of the index.
    segments
        Points of each segment. There is at least one, and all have the same lists.
    places
        Places of the rows of the index in the segments.

    Examples
    --------
    >>> index = VectorIndex.of(["a", "b", "c"], np.array([[0.0], [1.0], [5.0]], np.float32))
    >>> index.search(np.array([[1.2]], np.float32), count=2)
    [('b', 'a')]
    """

    def __init__(self, audio_ids: IdArray[AudioId], segments: Sequence[SegmentPoints], places: Places) -> None:
        self.audio_ids, self._segments, self._places = audio_ids, segments, places

    @classmethod
    def of(cls, audio_ids: Sequence[AudioId], embeddings: NDArray[np.float32]) -> "VectorIndex":
        """Make the index of some tracks in one segment, with lists of its own.

        Raises
        ------
        ValueError
            If the shapes do not agree, or if a value is not finite.
        """
        if embeddings.ndim != 2 or len(embeddings) != len(audio_ids):
            raise ValueError(f"expected embeddings of {len(audio_ids)} tracks, got shape {embeddings.shape}")
        points = SegmentPoints(embeddings, trained_centres(embeddings))
        ids, rows = IdArray.of(audio_ids), np.arange(len(audio_ids))
        return cls(ids, [points], Places(np.array([0, len(ids)]), rows))

    def __len__(self) -> int:
        return len(self.audio_ids)

    def search(
        self, embeddings: NDArray[np.float32], count: int, among: NDArray[np.bool_] | None = None
    ) -> list[tuple[AudioId, ...]]:
        """Return the audio ids of the nearest tracks of each embedding, nearest first.

        Parameters
        ----------
        embeddings : (queries, width) float32
            Points of the queries.
        count
            Number of tracks to find, at least 1. If the index has fewer tracks, all are found.
        among : (tracks,), optional
            Whether each track may be found. By default, all may.

        Raises
        ------
        ValueError
            If the embeddings do not have the width of the index, if a value is not finite, if `count` is not positive,
            or if `among` has another length.
        """
        width = self._segments[0].width
        if count < 1:
            raise ValueError(f"the number of tracks to find must be at least 1, not {count}")
        if embeddings.ndim != 2 or embeddings.shape[1] != width:
            raise ValueError(f"the index holds embeddings of {width} numbers, not of shape {embeddings.shape}")
        if among is not None and among.shape != (len(self),):
            raise ValueError(f"expected one value for each of {len(self)} tracks, not {among.shape}")
        rows = self._nearest_rows(_finite(embeddings), count, among)
        return [tuple(IdArray(self.audio_ids.array[found[found >= 0]])) for found in rows]

    def _nearest_rows(
        self, embeddings: NDArray[np.float32], count: int, among: NDArray[np.bool_] | None
    ) -> NDArray[np.int64]:
        """Return the rows of the index (queries, at most count) that are nearest, filled with -1."""
        probes = self._probes(min(count, len(self) if among is None else int(among.sum())))
        distances, rows = [], []
        for number, points in enumerate(self._segments):
            of_segment = self._places.rows_of_segment(number)
            near, found = points.nearest(embeddings, count, self._places.in_segment(number, among), probes)
            distances.append(near)
            rows.append(np.where(found < 0, -1, of_segment[found]))
        all_distances, all_rows = np.hstack(distances), np.hstack(rows)
        # The first row wins among equal distances, so that the order does not depend on the segments.
        order = np.lexsort((all_rows, all_distances), axis=1)[:, :count]
        return np.take_along_axis(all_rows, order, axis=1)

    def _probes(self, count: int) -> int:
        """Return how many lists are searched for a number of tracks."""
        tracks_a_list = len(self) / max(1, self._segments[0].lists)
        return PROBES + round(_SURPLUS * count / tracks_a_list) if tracks_a_list else PROBES


def inverted_file(width: int, lists: int) -> faiss.IndexIVF:
    """Make an inverted file without embeddings, whose lists are not trained yet."""
    # Half-precision floats take half of the memory and lose nothing. With bytes, one of the 100 nearest would be lost.
    index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatL2(width), width, lists, faiss.ScalarQuantizer.QT_fp16)
    index.cp.max_points_per_centroid = _SAMPLE_PER_LIST
    index.cp.min_points_per_centroid = 1  # Otherwise FAISS warns of libraries with less than 25,000 tracks.
    return index


def _finite(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings must be finite")
    return np.ascontiguousarray(embeddings, np.float32)
