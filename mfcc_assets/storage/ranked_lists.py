"""Ranked lists of many queries in arrays, so that no Python object exists for each of their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId
from mfcc_assets.search.id_arrays import IdArray, rows_of_ids
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.joined_arrays import joined_arrays, split_arrays
from mfcc_assets.storage.short_ids import lengthened, shortened


@dataclass(frozen=True, eq=False)
class RankedLists:
    """Lists of candidates: the rows of each query together and the best first.

    Attributes
    ----------
    queries : (queries,)
        Audio id of each query, ascending. A query may have no rows.
    starts : (queries + 1,) int64
        Number of the first row of each query, and the number of all rows.
    candidates : (rows,)
        Audio id of the candidate of each row.
    distances : (rows,) float64
        Distance of the two in each row.
    limits : (queries,) float64
        Corrected distance that a further candidate of a query must not exceed. It is infinite in lists that every
        candidate may enter, and in rankings.

    Examples
    --------
    >>> lists = RankedLists.of({"a": [("b", 0.5), ("c", 0.7)]})
    >>> list(lists.queries), list(lists.candidates), lists.distances.tolist()
    (['a'], ['b', 'c'], [0.5, 0.7])
    """

    queries: IdArray[AudioId]
    starts: NDArray[np.int64]
    candidates: IdArray[AudioId]
    distances: NDArray[np.float64]
    limits: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        grouped: Mapping[AudioId, Sequence[tuple[AudioId, float]]],
        limits: Mapping[AudioId, float] | None = None,
    ) -> Self:
        """Make the lists of the candidates and distances of each query. It is the inverse of `by_query`."""
        queries = sorted(grouped)
        pairs = [pair for query in queries for pair in grouped[query]]
        return cls(
            IdArray.of(queries),
            np.cumsum([0, *(len(grouped[query]) for query in queries)], dtype=np.int64),
            IdArray.of(candidate for candidate, _ in pairs),
            np.array([distance for _, distance in pairs], np.float64),
            np.array([(limits or {}).get(query, np.inf) for query in queries], np.float64),
        )

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.queries)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of rows (queries,) of each query."""
        return np.diff(self.starts)

    def rows_of(self, number: int) -> slice:
        """Return the rows of one query, given its number."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))

    def numbers(self, queries: IdArray[AudioId]) -> NDArray[np.int64]:
        """Return the number (n,) of each of some queries, or -1 for those without a list."""
        return rows_of_ids(self.queries.array, queries.array)

    def list_of(self, number: int) -> RankedList:
        """Return the candidates and distances of one query, given its number."""
        rows = self.rows_of(number)
        return list(zip(self.candidates[rows], self.distances[rows].tolist(), strict=True))

    def by_query(self) -> dict[AudioId, RankedList]:
        """Return the candidates and distances of each query that has any, by the query's audio id."""
        return {
            query: self.list_of(number)
            for number, (query, length) in enumerate(zip(self.queries, self.lengths.tolist(), strict=True))
            if length
        }

    def selected(self, numbers: NDArray[np.integer]) -> "RankedLists":
        """Return the lists of some queries, in the order of their numbers, which must ascend."""
        lengths = self.lengths[numbers]
        starts = np.append(0, np.cumsum(lengths))
        rows = np.repeat(self.starts[numbers] - starts[:-1], lengths) + np.arange(starts[-1])
        return RankedLists(
            IdArray(self.queries.array[numbers]),
            starts,
            IdArray(self.candidates.array[rows]),
            self.distances[rows],
            self.limits[numbers],
        )

    def heads(self) -> "ListHeads":
        """Return what is known of each list without its rows."""
        return ListHeads(self.queries, self.lengths, self.limits)

    def packed_rows(self) -> bytes:
        """Return the content of a file with the rows. `of_packed_rows` reads it."""
        ids, codes = np.unique(self.candidates.array, return_inverse=True)
        return joined_arrays({"ids": shortened(ids), "codes": codes.astype(np.uint32), "distances": self.distances})

    @classmethod
    def of_packed_rows(cls, heads: "ListHeads", written: bytes) -> Self:
        """Return the lists with these heads and these rows. Raises ValueError if they are not what was written."""
        try:
            arrays = split_arrays(written)
            ids, codes, distances = lengthened(arrays["ids"]), arrays["codes"], arrays["distances"]
            candidates = ids[codes] if len(codes) else ids[:0]
        except (IndexError, KeyError, TypeError) as error:
            raise ValueError(f"the file holds no lists ({error})") from error
        starts = np.append(0, np.cumsum(heads.lengths))
        if not starts[-1] == len(candidates) == len(distances):
            raise ValueError("the rows are not those of the queries")
        return cls(heads.queries, starts, IdArray(candidates), distances, heads.limits)


@dataclass(frozen=True, eq=False)
class ListHeads:
    """What is known of ranked lists without their rows; see `RankedLists`.

    Attributes
    ----------
    queries : (queries,)
        Audio id of each query, ascending.
    lengths : (queries,) int64
        Number of rows of each query.
    limits : (queries,) float64
        Limit of each query.
    """

    queries: IdArray[AudioId]
    lengths: NDArray[np.int64]
    limits: NDArray[np.float64]

    def numbers(self, queries: IdArray[AudioId]) -> NDArray[np.int64]:
        """Return the number (n,) of each of some queries, or -1 for those without a list."""
        return rows_of_ids(self.queries.array, queries.array)

    def packed(self, rows_digest: str) -> bytes:
        """Return the content of a file with the heads and the digest of the file with the rows."""
        return joined_arrays(
            {
                "queries": shortened(self.queries.array),
                "lengths": self.lengths.astype(np.uint32),
                "limits": self.limits,
                "rows_digest": np.array([rows_digest.encode()]),
            }
        )

    @classmethod
    def unpacked(cls, written: bytes) -> tuple[Self, str]:
        """Return what `packed` got. Raises ValueError if the file is not what it returned."""
        try:
            arrays = split_arrays(written)
            heads = cls(IdArray(lengthened(arrays["queries"])), arrays["lengths"].astype(np.int64), arrays["limits"])
            digest = bytes(arrays["rows_digest"][0]).decode()
        except (KeyError, TypeError) as error:
            raise ValueError(f"the file holds no heads of lists ({error})") from error
        if not len(heads.queries) == len(heads.lengths) == len(heads.limits):
            raise ValueError("the file holds no heads of lists")
        return heads, digest


def newest_heads(layers: Sequence[ListHeads]) -> ListHeads:
    """Return the heads of the lists that several layers give. A later layer wins, and a query without rows is gone."""
    queries = np.concatenate([layer.queries.array for layer in layers])
    lengths = np.concatenate([layer.lengths for layer in layers])
    _, numbers = np.unique(queries[::-1], return_index=True)
    numbers = len(queries) - 1 - numbers
    numbers = numbers[lengths[numbers] > 0]
    limits = np.concatenate([layer.limits for layer in layers])
    return ListHeads(IdArray(queries[numbers]), lengths[numbers], limits[numbers])


def newest(layers: Sequence[RankedLists]) -> RankedLists:
    """Return the list of each query in the last of several layers that has it. It may have no rows."""
    if len(layers) == 1:
        return layers[0]
    joined = joined_lists(layers)
    queries = joined.queries.array
    # The last of equal queries is the first one of the reversed array.
    _, numbers = np.unique(queries[::-1], return_index=True)
    return joined.selected(len(queries) - 1 - numbers)


def merged(layers: Sequence[RankedLists]) -> RankedLists:
    """Return lists in the state that several layers give them. A later layer wins, and a query without rows is gone.

    Examples
    --------
    >>> before = RankedLists.of({"a": [("b", 0.5)], "b": [("a", 0.5)]})
    >>> merged([before, RankedLists.of({"b": [], "c": [("a", 0.2)]})]).by_query()
    {'a': [('b', 0.5)], 'c': [('a', 0.2)]}
    """
    lists = newest(layers)
    has_rows = lists.lengths > 0
    return lists if has_rows.all() else lists.selected(np.flatnonzero(has_rows))


def joined_lists(every: Sequence[RankedLists]) -> RankedLists:
    """Return the lists of several objects one after the other. The queries ascend only if they do in this order."""
    offsets = np.cumsum([0, *(len(lists.candidates) for lists in every)])
    starts = [lists.starts[:-1] + offset for lists, offset in zip(every, offsets.tolist(), strict=False)]
    return RankedLists(
        IdArray(np.concatenate([lists.queries.array for lists in every])),
        np.append(np.concatenate(starts), offsets[-1]).astype(np.int64),
        IdArray(np.concatenate([lists.candidates.array for lists in every])),
        np.concatenate([lists.distances for lists in every]),
        np.concatenate([lists.limits for lists in every]),
    )
