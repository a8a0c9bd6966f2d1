"""The vector index, which finds the candidates that dynamic time warping then ranks.

A search in a small library compares the query with all tracks. A large library has an inverted file (Jégou, Douze and
Schmid, "Product Quantization for Nearest Neighbor Search", TPAMI 2011, section IV, without the product quantizer):
k-means divides the embeddings into lists, and a query searches the few lists whose centres are nearest.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import AudioId
from mfcc_assets.search.id_arrays import IdArray

LARGEST_FLAT = 15_000
"""Largest number of tracks that are searched exhaustively, which is exact. In a larger library it takes less time to
train lists and search them for every track than to search all tracks for every track."""

PROBES = 128
"""Least number of lists that a query searches. In a million embeddings, 128 lists hold 99.3 of the 100 nearest on
average, and 64 lists hold 98.3."""

_SURPLUS = 10
"""If many tracks are wanted, a query searches more lists, which hold this many times as many tracks. Of the 10,000
nearest of a million, 128 lists hold 90 %, and the 528 lists that are searched instead hold 99.5 %."""

_SAMPLE_PER_LIST = 40
"""Number of embeddings for each list that k-means is trained on. A larger sample gives no better lists."""

_REBUILD = "Materialise prefilter_index again"


class VectorIndex:
    """Finds the nearest neighbours of embeddings: exact for up to `LARGEST_FLAT` tracks, approximate for more.

    Parameters
    ----------
    audio_ids : (tracks,)
        Audio id of each row.
    embeddings : (tracks, width) float32
        Points of the tracks; see `mfcc_assets.search.embedding`.

    Raises
    ------
    ValueError
        If the shapes do not agree, or if a value is not finite.

    Examples
    --------
    >>> index = VectorIndex(["a", "b", "c"], np.array([[0.0], [1.0], [5.0]], np.float32))
    >>> index.search(np.array([[1.2]], np.float32), count=2)
    [('b', 'a')]
    """

    def __init__(self, audio_ids: Sequence[AudioId], embeddings: NDArray[np.float32]) -> None:
        if embeddings.ndim != 2 or len(embeddings) != len(audio_ids):
            raise ValueError(f"expected embeddings of {len(audio_ids)} tracks, got shape {embeddings.shape}")
        self._index = _filled(_finite(embeddings))
        self.audio_ids = _id_array(audio_ids)

    def with_tracks(self, audio_ids: Sequence[AudioId], embeddings: NDArray[np.float32]) -> "VectorIndex":
        """Return an index of other tracks that uses the trained lists of this index.

        This saves the training. The lists are good as long as the library stays similar.

        Raises
        ------
        ValueError
            If the shapes do not agree, or if a value is not finite.
        """
        if embeddings.ndim != 2 or embeddings.shape != (len(audio_ids), self._index.d):
            raise ValueError(f"expected embeddings of {len(audio_ids)} tracks, got shape {embeddings.shape}")
        index = _filled(_finite(embeddings), self._index)
        return self._of_index(index, audio_ids)

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
        if count < 1:
            raise ValueError(f"the number of tracks to find must be at least 1, not {count}")
        if embeddings.ndim != 2 or embeddings.shape[1] != self._index.d:
            raise ValueError(f"the index holds embeddings of {self._index.d} numbers, not of shape {embeddings.shape}")
        if among is not None and among.shape != (len(self),):
            raise ValueError(f"expected one value for each of {len(self)} tracks, not {among.shape}")
        count = min(count, len(self) if among is None else int(among.sum()))
        if not count:
            return [()] * len(embeddings)
        # FAISS does not keep the bits and the selector alive.
        bits = np.packbits(np.ones(len(self), np.bool_) if among is None else among, bitorder="little")
        selector = None if among is None else faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        # FAISS runs one query on the calling thread, and several queries on all cores.
        _, found = self._index.search(_finite(embeddings), count, params=self._search_parameters(count, selector))
        # FAISS fills a row with -1 if the searched lists hold fewer tracks.
        return [tuple(IdArray(self.audio_ids.array[rows[rows >= 0]])) for rows in found]

    def _search_parameters(self, count: int, selector: faiss.IDSelector | None) -> faiss.SearchParameters:
        if not isinstance(self._index, faiss.IndexIVF):
            parameters = faiss.SearchParameters()
            parameters.sel = selector
            return parameters
        tracks_a_list = len(self) / self._index.nlist
        parameters = faiss.SearchParametersIVF()
        parameters.sel = selector
        parameters.nprobe = PROBES + round(_SURPLUS * count / tracks_a_list)
        return parameters

    def write(self, path: Path) -> None:
        """Write the embeddings and lists in FAISS's own format. The audio ids are stored elsewhere."""
        faiss.write_index(self._index, str(path))

    @classmethod
    def read(cls, path: Path, audio_ids: Sequence[AudioId]) -> "VectorIndex":
        """Read what `write` wrote.

        The file is memory-mapped. It may be deleted while the index is in use, but it must not be changed.

        Raises
        ------
        CorruptIndex
            If FAISS cannot read the file, or if the number of audio ids is another.
        """
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise CorruptIndex("FAISS cannot read the stored index", remedy=_REBUILD) from error
        if index.ntotal != len(audio_ids):
            raise CorruptIndex(
                f"the index holds {index.ntotal} tracks, but its list of tracks holds {len(audio_ids)}",
                remedy=_REBUILD,
            )
        return cls._of_index(index, audio_ids)

    @classmethod
    def _of_index(cls, index: faiss.Index, audio_ids: Sequence[AudioId]) -> "VectorIndex":
        vector_index = cls.__new__(cls)
        vector_index._index, vector_index.audio_ids = index, _id_array(audio_ids)  # noqa: SLF001  of its own class
        return vector_index


def _id_array(audio_ids: Sequence[AudioId]) -> IdArray[AudioId]:
    return audio_ids if isinstance(audio_ids, IdArray) else IdArray.of(audio_ids)


def _filled(embeddings: NDArray[np.float32], former: faiss.Index | None = None) -> faiss.Index:
    """Make an index of these rows.

    It keeps the lists of a former index, unless that has more than twice the number of lists that these rows need.
    """
    width = embeddings.shape[1]
    index: faiss.Index
    if len(embeddings) <= LARGEST_FLAT:
        index = faiss.IndexFlatL2(width)
    elif isinstance(former, faiss.IndexIVF) and former.nlist <= 2 * _number_of_lists(len(embeddings)):
        index = inverted_file(embeddings, former.quantizer.reconstruct_n(0, former.nlist))
    else:
        index = inverted_file(embeddings, np.empty((0, width), np.float32))
    index.add(embeddings)
    return index


def inverted_file(embeddings: NDArray[np.float32], centres: NDArray[np.float32]) -> faiss.IndexIVF:
    """Make empty lists around these centres. If there are none, k-means finds them.

    FAISS has a fixed seed for k-means, so the same rows give the same lists on any number of threads.
    """
    tracks, width = embeddings.shape
    quantizer = faiss.IndexFlatL2(width)
    quantizer.add(centres)
    lists = len(centres) or _number_of_lists(tracks)
    # Half-precision floats take half of the memory and lose nothing. With bytes, one of the 100 nearest would be lost.
    index = faiss.IndexIVFScalarQuantizer(quantizer, width, lists, faiss.ScalarQuantizer.QT_fp16)
    index.cp.max_points_per_centroid = _SAMPLE_PER_LIST
    index.cp.min_points_per_centroid = 1  # Otherwise FAISS warns of libraries with less than 25,000 tracks.
    index.train(embeddings)
    return index


def _number_of_lists(tracks: int) -> int:
    return round(4 * math.sqrt(tracks))


def _finite(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings must be finite")
    return np.ascontiguousarray(embeddings, np.float32)
