"""Arrays of many ids. They take much less memory than strings, and they can be memory-mapped."""

from bisect import bisect_left
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId, TrackId

_Id = TypeVar("_Id", bound=str)


class IdArray(Sequence[_Id]):
    """A sequence of ASCII ids in an array. A million ids of 32 digits take 32 MB.

    Parameters
    ----------
    array : (n,) bytes of one width
        The ids.

    Raises
    ------
    ValueError
        If the array is not one-dimensional or does not hold bytes.

    Examples
    --------
    >>> ids = IdArray.of(["a0", "b1"])
    >>> ids[1], len(ids)
    ('b1', 2)
    """

    def __init__(self, array: NDArray[np.bytes_]) -> None:
        if array.ndim != 1 or array.dtype.kind != "S":
            raise ValueError(f"ids must be one array of bytes, not {array.dtype} of shape {array.shape}")
        self.array = array

    @classmethod
    def of(cls, ids: Iterable[_Id]) -> "IdArray[_Id]":
        """Make the array of some ids."""
        return cls(np.array([identifier.encode("ascii") for identifier in ids], dtype=np.bytes_))

    def narrowed(self) -> "IdArray[_Id]":
        """Return the same ids in an array that is no wider than the longest of them, as `of` makes it."""
        width = int(np.char.str_len(self.array).max(initial=1))
        return IdArray(self.array.astype(f"S{width}"))

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, row: int) -> _Id: ...
    @overload
    def __getitem__(self, row: slice) -> "IdArray[_Id]": ...
    def __getitem__(self, row: int | slice) -> "_Id | IdArray[_Id]":
        if isinstance(row, slice):
            return IdArray(self.array[row])
        return cast("_Id", bytes(self.array[row]).decode("ascii"))

    def __iter__(self) -> Iterator[_Id]:
        return cast("Iterator[_Id]", (identifier.decode("ascii") for identifier in self.array.tolist()))


class TrackOfAudio(Mapping[AudioId, TrackId]):
    """A mapping from audio id to the id of the track that represents it. It uses binary search in sorted arrays.

    Parameters
    ----------
    audio_ids
        Audio ids in ascending order, without duplicates.
    track_ids
        Track id of each audio id.

    Raises
    ------
    ValueError
        If the audio ids are not in ascending order, or if the lengths differ.
    """

    def __init__(self, audio_ids: IdArray[AudioId], track_ids: IdArray[TrackId]) -> None:
        ascending = audio_ids.array[:-1] < audio_ids.array[1:]
        if len(audio_ids) != len(track_ids) or not ascending.all():
            raise ValueError("audio ids must be in ascending order, and each must have one track id")
        self.audio_ids, self.track_ids = audio_ids, track_ids

    @classmethod
    def of(cls, tracks: Mapping[AudioId, TrackId]) -> "TrackOfAudio":
        """Make the mapping of a dictionary."""
        audio_ids = sorted(tracks)
        return cls(IdArray.of(audio_ids), IdArray.of(tracks[audio_id] for audio_id in audio_ids))

    def rows(self, audio_ids: Sequence[AudioId]) -> NDArray[np.int64]:
        """Return the row of each audio id in `audio_ids`, or -1 if it is missing.

        Examples
        --------
        >>> TrackOfAudio.of({"a": "track 1", "b": "track 2"}).rows(["b", "c"]).tolist()
        [1, -1]
        """
        wanted = audio_ids.array if isinstance(audio_ids, IdArray) else IdArray.of(audio_ids).array
        # Numbers are compared several times faster than texts. Ids that begin alike are then compared in full.
        keys = _beginnings(wanted)
        rows = np.searchsorted(self._beginnings, keys).astype(np.int64)
        found = rows < len(self)
        found[found] = self.audio_ids.array[rows[found]] == wanted[found]
        rows[~found] = -1
        (unsure,) = np.nonzero(~found & np.isin(keys, self._shared_beginnings))
        if len(unsure):
            places = np.searchsorted(self.audio_ids.array, wanted[unsure])
            places[places == len(self)] = 0
            rows[unsure] = np.where(self.audio_ids.array[places] == wanted[unsure], places, -1)
        return rows

    @cached_property
    def _beginnings(self) -> NDArray[np.uint64]:
        return _beginnings(self.audio_ids.array)

    @cached_property
    def _shared_beginnings(self) -> NDArray[np.uint64]:
        """The beginnings that several audio ids have, ascending."""
        keys = self._beginnings
        return np.unique(keys[1:][keys[1:] == keys[:-1]])

    def selected(self, wanted: NDArray[np.bool_]) -> "TrackOfAudio":
        """Return the mapping of some rows, given whether each row (n,) is wanted."""
        return TrackOfAudio(IdArray(self.audio_ids.array[wanted]), IdArray(self.track_ids.array[wanted]))

    def __getitem__(self, audio_id: AudioId) -> TrackId:
        row = bisect_left(self.audio_ids, audio_id)
        if row == len(self) or self.audio_ids[row] != audio_id:
            raise KeyError(audio_id)
        return self.track_ids[row]

    def __len__(self) -> int:
        return len(self.audio_ids)

    def __iter__(self) -> Iterator[AudioId]:
        return iter(self.audio_ids)

    def items(self) -> ItemsView[AudioId, TrackId]:
        return _PairsInOrder(self)


def rows_of_ids(ascending: NDArray[np.bytes_], wanted: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Return the row of each wanted id among ids that ascend, or -1 if it is missing.

    Examples
    --------
    >>> rows_of_ids(np.array([b"a", b"c"]), np.array([b"c", b"b"])).tolist()
    [1, -1]
    """
    rows = np.searchsorted(ascending, wanted).astype(np.int64)
    found = rows < len(ascending)
    found[found] = ascending[rows[found]] == wanted[found]
    return np.where(found, rows, -1)


def _beginnings(ids: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """Return the first eight digits of each id as a number, so that numbers are in the order of the ids."""
    return ids.astype("S8").view(">u8").astype(np.uint64)


class _PairsInOrder(ItemsView[AudioId, TrackId]):
    """The items in order. Iteration goes through the arrays instead of searching for each key."""

    _mapping: TrackOfAudio

    def __iter__(self) -> Iterator[tuple[AudioId, TrackId]]:
        return zip(self._mapping.audio_ids, self._mapping.track_ids, strict=True)
