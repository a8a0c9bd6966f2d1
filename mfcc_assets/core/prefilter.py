"""The vector index that picks the candidates which dynamic time warping then ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.errors import CorruptIndex

_REBUILD = "Materialise prefilter_index again"


@dataclass(frozen=True)
class Hits:
    """What a search found, nearest first.

    Attributes
    ----------
    audio_ids : (k,)
    distances : (k,) float32
        Euclidean, between embeddings divided by the scales.
    """

    audio_ids: tuple[str, ...]
    distances: NDArray[np.float32]


class Prefilter:
    """Exact nearest neighbours of embeddings whose coefficients were divided by the library's scales.

    A flat index is right up to some 50,000 tracks: 104 numbers a track are read at memory speed.

    Parameters
    ----------
    audio_ids : (tracks,)
        What the rows stand for.
    embeddings : (tracks, segments * d) float32
        As `summarise` makes them.
    scales : (d,) float
        Deviation of each coefficient over the library.

    Raises
    ------
    ValueError
        The shapes do not agree, a value is not finite, or a scale is not positive.
    """

    def __init__(self, audio_ids: Sequence[str], embeddings: NDArray[np.float32], scales: NDArray[np.float64]) -> None:
        if embeddings.ndim != 2 or len(embeddings) != len(audio_ids):
            raise ValueError(f"{len(audio_ids)} tracks have embeddings of shape {embeddings.shape}")
        scaled = _scaled(embeddings, scales)
        index: faiss.Index = faiss.IndexFlatL2(scaled.shape[1])
        index.add(scaled)
        self._index = index
        self.audio_ids = tuple(audio_ids)
        self.scales = scales

    def __len__(self) -> int:
        return len(self.audio_ids)

    def search(self, embeddings: NDArray[np.float32], size: int) -> list[Hits]:
        """The `size` nearest tracks of each embedding, or all where there are fewer.

        Parameters
        ----------
        embeddings : (queries, segments * d) float32
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
        squared, rows = self._index.search(_scaled(embeddings, self.scales), size)
        # FAISS expands the square, and rounding can leave a track at slightly less than nothing from itself.
        distances = np.sqrt(np.maximum(squared, 0))
        return [
            Hits(tuple(self.audio_ids[row] for row in found), distance)
            for found, distance in zip(rows, distances, strict=True)
        ]

    def to_bytes(self) -> bytes:
        """The FAISS part, in FAISS's own format; the audio ids are stored beside it."""
        written: bytes = faiss.serialize_index(self._index).tobytes()
        return written

    @classmethod
    def from_bytes(cls, written: bytes, audio_ids: Sequence[str], scales: NDArray[np.float64]) -> "Prefilter":
        """Read what `to_bytes` wrote.

        Raises
        ------
        CorruptIndex
            FAISS cannot read it, or it does not fit the audio ids and scales.
        """
        try:
            index = faiss.deserialize_index(np.frombuffer(written, np.uint8))
        except RuntimeError as error:
            raise CorruptIndex("FAISS cannot read the stored index", remedy=_REBUILD) from error
        if index.ntotal != len(audio_ids):
            raise CorruptIndex(
                f"the index holds {index.ntotal} tracks, its list of tracks {len(audio_ids)}",
                remedy=_REBUILD,
            )
        if not _are_scales(scales) or index.d % len(scales):
            raise CorruptIndex(
                f"the index holds {index.d} numbers a track, which the scales do not fit", remedy=_REBUILD
            )
        prefilter = cls.__new__(cls)
        prefilter._index, prefilter.audio_ids, prefilter.scales = index, tuple(audio_ids), scales
        return prefilter


def _are_scales(scales: NDArray[np.float64]) -> bool:
    return scales.ndim == 1 and len(scales) > 0 and bool((np.isfinite(scales) & (scales > 0)).all())


def _scaled(embeddings: NDArray[np.float32], scales: NDArray[np.float64]) -> NDArray[np.float32]:
    if not np.isfinite(embeddings).all():
        raise ValueError("embeddings must be finite")
    if not _are_scales(scales):
        raise ValueError(f"every coefficient has a positive scale, unlike {scales}")
    segments, rest = divmod(embeddings.shape[1], len(scales))
    if rest:
        raise ValueError(f"{embeddings.shape[1]} numbers are not segments of {len(scales)} coefficients")
    return np.ascontiguousarray(embeddings / np.tile(scales, segments), dtype=np.float32)
