"""Ids of many tracks, which a library of a million keeps as arrays and not as a million strings."""

from bisect import bisect_left
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class IdArray(Sequence[str]):
    """ASCII ids in an array: a million of 32 digits take 32 MB instead of 90, and can be memory-mapped.

    Parameters
    ----------
    array : (n,) bytes of one width
    """

    def __init__(self, array: NDArray[np.bytes_]) -> None:
        if array.ndim != 1 or array.dtype.kind != "S":
            raise ValueError(f"ids are one array of bytes, not {array.shape} of {array.dtype}")
        self.array = array

    @classmethod
    def of(cls, ids: Iterable[str]) -> "IdArray":
        return cls(np.array([identifier.encode("ascii") for identifier in ids], dtype=np.bytes_))

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> "IdArray": ...
    def __getitem__(self, row: int | slice) -> "str | IdArray":
        if isinstance(row, slice):
            return IdArray(self.array[row])
        return bytes(self.array[row]).decode("ascii")

    def __iter__(self) -> Iterator[str]:
        return (identifier.decode("ascii") for identifier in self.array.tolist())


class TrackOfAudio(Mapping[str, str]):
    """By audio id the track that stands for it, found by halving: nothing is built to look one up.

    Parameters
    ----------
    audio_ids
        Ascending, none twice.
    track_ids
        Of the same length.
    """

    def __init__(self, audio_ids: IdArray, track_ids: IdArray) -> None:
        ascending = audio_ids.array[:-1] < audio_ids.array[1:]
        if len(audio_ids) != len(track_ids) or not ascending.all():
            raise ValueError("every audio has one track, and audio ids ascend")
        self.audio_ids, self.track_ids = audio_ids, track_ids

    @classmethod
    def of(cls, tracks: Mapping[str, str]) -> "TrackOfAudio":
        audio_ids = sorted(tracks)
        return cls(IdArray.of(audio_ids), IdArray.of(tracks[audio_id] for audio_id in audio_ids))

    def rows(self, audio_ids: Sequence[str]) -> NDArray[np.int64]:
        """Where each audio stands among `audio_ids`; -1 where it does not."""
        wanted = IdArray.of(audio_ids).array
        rows = np.searchsorted(self.audio_ids.array, wanted).astype(np.int64)
        there = rows < len(self)
        there[there] = self.audio_ids.array[rows[there]] == wanted[there]
        return np.where(there, rows, -1)

    def __getitem__(self, audio_id: str) -> str:
        row = bisect_left(self.audio_ids, audio_id)
        if row == len(self) or self.audio_ids[row] != audio_id:
            raise KeyError(audio_id)
        return self.track_ids[row]

    def __len__(self) -> int:
        return len(self.audio_ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.audio_ids)

    def items(self) -> ItemsView[str, str]:
        return _PairsInOrder(self)


class _PairsInOrder(ItemsView[str, str]):
    """Items without a search for each: a million take 0.3 s instead of 10."""

    _mapping: TrackOfAudio

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(self._mapping.audio_ids, self._mapping.track_ids, strict=True)
