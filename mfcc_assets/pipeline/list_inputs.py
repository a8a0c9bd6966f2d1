"""What the lists of soundtracks were made from, so that only lists are made again of which something has changed.

A list follows from a ranking in its order, from the names that the tags of the ranked tracks give, and from settings.
The names of a whole library are too many to be kept with every version of the index. So a digest is kept for each of
some thousands of buckets, over which the tracks are spread evenly. If a track changes, the lists with a track of its
bucket are made again. That is one list in two hundred more than necessary, however large the library is.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import list_order_of
from mfcc_assets.pipeline.ranked_rows import ranked_rows
from mfcc_assets.playlists.selection import Selection
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.packed_arrays import packed, unpacked

_BUCKETS = 4096


@dataclass(frozen=True, eq=False)
class ListInputs:
    """What lists are made from, besides the index.

    Attributes
    ----------
    rules
        Digest of the settings.
    names : (buckets,) uint64
        Digest of the names and ids of the tracks in each bucket.
    queries : (buckets,) uint64
        Digest of the soundtracks in each bucket and of their audio.
    """

    rules: str
    names: NDArray[np.uint64]
    queries: NDArray[np.uint64]

    @classmethod
    def of(cls, library: Library, selection: Selection, queries: Mapping[TrackId, AudioId | None]) -> Self:
        """Return the inputs of the lists of a library.

        Parameters
        ----------
        library
            The library, with its settings.
        selection
            Rules of the lists, with the credits of all tracks.
        queries
            Audio id of every soundtrack.
        """
        settings = library.settings
        named = (
            (audio_id, [credit.track_id, *map(str, selection.capped_names(audio_id) if selection.cap else ())])
            for audio_id, credit in selection.credits.items()
        )
        return cls(
            json.dumps([settings.recommendations, settings.per_artist]),
            _digests(named),
            _digests((track, [audio_id or ""]) for track, audio_id in queries.items()),
        )

    @cached_property
    def digest(self) -> str:
        """Digest of everything."""
        content = hashlib.blake2b(self.rules.encode(), digest_size=16)
        content.update(self.names.tobytes())
        content.update(self.queries.tobytes())
        return content.hexdigest()

    def store(self, library: Library, version: str) -> None:
        """Store the inputs with a version of the index, under their digest, unless they are stored and intact."""
        if ListInputs.read(library, version, self.digest) is not None:
            return
        content = {"rules": np.array(self.rules.encode()), "names": self.names, "queries": self.queries}
        library.indexes.write_attachment(version, _name(self.digest), packed(content))

    @classmethod
    def read(cls, library: Library, version: str, digest: str) -> Self | None:
        """Return stored inputs; None if there are none, or they are damaged."""
        try:
            arrays = unpacked(library.indexes.read_attachment(version, _name(digest)) or b"")
            return cls(bytes(arrays["rules"]).decode(), arrays["names"], arrays["queries"])
        except (KeyError, ValueError):
            return None


class ListChanges:
    """Which lists of an index may differ from those that an earlier index gave.

    Parameters
    ----------
    library
        The library.
    index, inputs
        The index, and the present inputs.
    former, former_inputs
        The earlier index, and its inputs. They have the same rules.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        If rankings are missing or damaged.
    """

    def __init__(
        self, library: Library, index: LibraryIndex, inputs: ListInputs, former: LibraryIndex, former_inputs: ListInputs
    ) -> None:
        self._index = index
        self._queries = inputs.queries != former_inputs.queries
        changed_names = inputs.names != former_inputs.names
        of_index = _buckets(index.tracks.audio_ids)
        lists, distances = list_order_of(library, index).lists(ranked_rows(library, index))
        changed = (changed_names[of_index][lists] & (lists >= 0)).any(axis=1)
        if former.version != index.version:
            rows = former.tracks.rows(index.tracks.audio_ids)
            before, distances_before = list_order_of(library, former).lists(ranked_rows(library, former))
            # Row -1 of the lists stays -1.
            row_now = np.append(index.tracks.rows(former.tracks.audio_ids), -1)
            is_same = before.shape[1] == lists.shape[1] and (
                (row_now[before[rows]] == lists) & ((distances_before[rows] == distances) | (lists < 0))
            ).all(axis=1)
            changed |= (rows < 0) | ~np.asarray(is_same)
        self._changed = changed

    def concerned(self, queries: Mapping[TrackId, AudioId | None]) -> set[TrackId]:
        """Return those of some soundtracks, with their audio ids, whose lists may differ."""
        rows = self._index.tracks.rows([audio_id or AudioId("") for audio_id in queries.values()])
        may_differ = self._queries[_buckets(queries)] | ((rows >= 0) & self._changed[rows])
        return {track for track, differs in zip(queries, may_differ.tolist(), strict=True) if differs}


def changes_since(
    library: Library, index: LibraryIndex, inputs: ListInputs, version: str, digest: str
) -> ListChanges | None:
    """Return which lists may differ from those of a version and its inputs; None if all may."""
    former_inputs = ListInputs.read(library, version, digest)
    former = library.indexes.read_if_usable(version)
    if former is None or former_inputs is None or former_inputs.rules != inputs.rules:
        return None
    # An empty index has no lists that could stay.
    if former.parameters != index.parameters or not len(former.tracks) or not len(index.tracks):
        return None
    try:
        return ListChanges(library, index, inputs, former, former_inputs)
    except (NoPublishedIndex, CorruptIndex):
        return None


def _digests(content: Iterable[tuple[str, Sequence[str]]]) -> NDArray[np.uint64]:
    found = np.zeros(_BUCKETS, np.uint64)
    buckets, digests = list[int](), list[int]()
    for key, values in content:
        written = "\0".join([key, *values]).encode()
        buckets.append(_bucket(key))
        digests.append(int.from_bytes(hashlib.blake2b(written, digest_size=8).digest(), "big"))
    np.bitwise_xor.at(found, np.array(buckets, np.int64), np.array(digests, np.uint64))
    return found


def _buckets(ids: Iterable[str]) -> NDArray[np.int64]:
    return np.array([_bucket(one) for one in ids], np.int64)


def _bucket(identifier: str) -> int:
    return zlib.crc32(identifier.encode()) % _BUCKETS


def _name(digest: str) -> str:
    return f"lists/{digest}.npz"
