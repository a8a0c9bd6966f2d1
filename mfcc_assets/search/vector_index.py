"""The vector index that picks the candidates which dynamic time warping then ranks.

Small libraries are searched whole. Larger ones are an inverted file (Jégou, Douze and Schmid, "Product Quantization for
Nearest Neighbor Search", TPAMI 2011, section IV, without the product quantizer): k-means parts the embeddings into
lists, and a query looks into the few whose centres are nearest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.search.id_arrays import IdArray

LARGEST_FLAT = 15_000
"""Tracks up to which a search through all is used, which is exact. From here on it takes less to train lists and look
into them for every track of the library (1.3 s) than to search the whole library for every track (1.4 s)."""

_PROBES = 128
"""Lists that a query looks into at least. In a million embeddings they hold 99.3 of the 100 nearest, 64 hold 98.3."""

_LOOKED_AT = 10
"""Times as many tracks as are asked for that further lists hold. Of the 10,000 nearest of a million, 128 lists find
90 % and these, 540 in all, 99.5 %, in 8 instead of 5 ms."""

_SAMPLE_OF_A_LIST = 40
"""Embeddings a list that k-means is trained on: 64 found no better lists of a million in twice the time."""

_REBUILD = "Materialise prefilter_index again"


@dataclass(frozen=True)
class Hits:
    """What a search found, nearest first.

    Attributes
    ----------
    audio_ids : (k,)
    distances : (k,) float32
        Euclidean; of more than `LARGEST_FLAT` tracks to three digits.
    """

    audio_ids: tuple[str, ...]
    distances: NDArray[np.float32]


class VectorIndex:
    """Nearest neighbours of embeddings: exact for up to `LARGEST_FLAT` tracks, approximate for more.

    Parameters
    ----------
    audio_ids : (tracks,)
        What the rows stand for.
    embeddings : (tracks, width) float32
        As `mfcc_assets.search.embedding` makes them.

    Raises
    ------
    ValueError
        The shapes do not agree, or a value is not finite.
    """

    def __init__(self, audio_ids: Sequence[str], embeddings: NDArray[np.float32]) -> None:
        if embeddings.ndim != 2 or len(embeddings) != len(audio_ids):
            raise ValueError(f"{len(audio_ids)} tracks have embeddings of shape {embeddings.shape}")
        self._index = _filled(_finite(embeddings))
        self.audio_ids = _identifiers(audio_ids)

    def with_tracks(self, audio_ids: Sequence[str], embeddings: NDArray[np.float32]) -> "VectorIndex":
        """The search through other tracks, with the trained lists of this one.

        Right while the library stays much the same: a million tracks are put into lists in 9 s, and lists trained in
        another 11 s.

        Raises
        ------
        ValueError
            As for a new one.
        """
        if embeddings.ndim != 2 or embeddings.shape != (len(audio_ids), self._index.d):
            raise ValueError(f"{len(audio_ids)} tracks have embeddings of shape {embeddings.shape}")
        index = _filled(_finite(embeddings), self._index)
        return self._of_index(index, audio_ids)

    def __len__(self) -> int:
        return len(self.audio_ids)

    def search(self, embeddings: NDArray[np.float32], size: int) -> list[Hits]:
        """The `size` nearest tracks of each embedding, or all where there are fewer.

        Parameters
        ----------
        embeddings : (queries, width) float32
        size
            At least 1.

        Raises
        ------
        ValueError
            The embeddings are not of the index's width, a value is not finite, or `size` is not positive.
        """
        if size < 1:
            raise ValueError(f"a search finds at least one track, not {size}")
        if embeddings.ndim != 2 or embeddings.shape[1] != self._index.d:
            raise ValueError(f"the index holds embeddings of {self._index.d} numbers, not of shape {embeddings.shape}")
        size = min(size, len(self))
        if not size:
            return [Hits((), np.empty(0, np.float32))] * len(embeddings)
        # One query runs on the thread that asks, several on all cores: threads of ours ask for one at a time.
        squared, rows = self._index.search(_finite(embeddings), size, params=self._how_far(size))
        # FAISS expands the square, and rounding can leave a track at slightly less than nothing from itself.
        distances = np.sqrt(np.maximum(squared, 0))
        found = rows >= 0  # lists that are nearly empty may hold fewer
        return [
            Hits(tuple(IdArray(self.audio_ids.array[rows[query, there]])), distances[query, there])
            for query, there in enumerate(found)
        ]

    def _how_far(self, size: int) -> faiss.SearchParameters | None:
        if not isinstance(self._index, faiss.IndexIVF):
            return None
        tracks_a_list = len(self) / self._index.nlist
        parameters = faiss.SearchParametersIVF()
        parameters.nprobe = _PROBES + round(_LOOKED_AT * size / tracks_a_list)
        return parameters

    def write(self, path: Path) -> None:
        """Write the FAISS part, in FAISS's own format; the audio ids are stored beside it."""
        faiss.write_index(self._index, str(path))

    @classmethod
    def read(cls, path: Path, audio_ids: Sequence[str]) -> "VectorIndex":
        """Read what `write` wrote. The file is memory-mapped; its name may go, its content must stay.

        Raises
        ------
        CorruptIndex
            FAISS cannot read it, or it does not fit the audio ids.
        """
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise CorruptIndex("FAISS cannot read the stored index", remedy=_REBUILD) from error
        if index.ntotal != len(audio_ids):
            raise CorruptIndex(
                f"the index holds {index.ntotal} tracks, its list of tracks {len(audio_ids)}",
                remedy=_REBUILD,
            )
        return cls._of_index(index, audio_ids)

    @classmethod
    def _of_index(cls, index: faiss.Index, audio_ids: Sequence[str]) -> "VectorIndex":
        vector_index = cls.__new__(cls)
        vector_index._index, vector_index.audio_ids = index, _identifiers(audio_ids)
        return vector_index


def _identifiers(audio_ids: Sequence[str]) -> IdArray:
    return audio_ids if isinstance(audio_ids, IdArray) else IdArray.of(audio_ids)


def _filled(embeddings: NDArray[np.float32], former: faiss.Index | None = None) -> faiss.Index:
    """An index of these rows. Lists that a former one was trained for are used again, unless few are left for each."""
    width = embeddings.shape[1]
    index: faiss.Index
    if len(embeddings) <= LARGEST_FLAT:
        index = faiss.IndexFlatL2(width)
    elif isinstance(former, faiss.IndexIVF) and former.nlist <= 2 * _number_of_lists(len(embeddings)):
        index = _inverted_file(embeddings, former.quantizer.reconstruct_n(0, former.nlist))
    else:
        index = _inverted_file(embeddings, np.empty((0, width), np.float32))
    index.add(embeddings)
    return index


def _inverted_file(embeddings: NDArray[np.float32], centres: NDArray[np.float32]) -> faiss.IndexIVF:
    """Empty lists around these centres or, where there are none, around those that k-means finds.

    FAISS seeds k-means, so that the same rows give the same lists on any number of threads.
    """
    tracks, width = embeddings.shape
    quantizer = faiss.IndexFlatL2(width)
    quantizer.add(centres)
    lists = len(centres) or _number_of_lists(tracks)
    # Halves of floats lose nothing that shows and take half the room; bytes would lose one of the 100 nearest.
    index = faiss.IndexIVFScalarQuantizer(quantizer, width, lists, faiss.ScalarQuantizer.QT_fp16)
    index.cp.max_points_per_centroid = _SAMPLE_OF_A_LIST
    index.cp.min_points_per_centroid = 1  # FAISS would warn of libraries of less than 25,000
    index.train(embeddings)
    return index


def _number_of_lists(tracks: int) -> int:
    return round(4 * math.sqrt(tracks))


def _finite(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings must be finite")
    return np.ascontiguousarray(embeddings, np.float32)
