"""Stores the candidates and the rankings of an index version, as Parquet in the container `cepstra`.

indexes/<version>/candidates/<shard or upload id>.parquet
indexes/<version>/rankings/<shard or upload id>.parquet
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pyarrow as pa

from mfcc_assets.errors import BlobNotFound, CorruptIndex
from mfcc_assets.ids import AudioId, UploadId
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.blobs.port import CEPSTRA, Blob, BlobStore
from mfcc_assets.storage.parquet_files import DamagedParquetError, read_parquet, write_parquet

Stage: TypeAlias = Literal["candidates", "rankings"]
STAGES: tuple[Stage, ...] = ("candidates", "rankings")
_SCHEMA = pa.schema([("audio_id", pa.string()), ("candidate", pa.string()), ("distance", pa.float64())])


@dataclass(frozen=True)
class RankedLists:
    """Lists of candidates, as rows with the rows of each query together and the best first.

    Attributes
    ----------
    queries
        Audio id of the query of each row.
    candidates
        Audio id of the candidate of each row.
    distances
        Distance of the two in each row.

    Examples
    --------
    >>> lists = RankedLists.of({"a": [("b", 0.5), ("c", 0.7)]})
    >>> lists.queries, lists.candidates, lists.distances
    (('a', 'a'), ('b', 'c'), (0.5, 0.7))
    """

    queries: tuple[AudioId, ...]
    candidates: tuple[AudioId, ...]
    distances: tuple[float, ...]

    def by_query(self) -> dict[AudioId, RankedList]:
        """Return the candidates and distances of each query, by the query's audio id."""
        grouped: dict[AudioId, RankedList] = {}
        for query, candidate, distance in zip(self.queries, self.candidates, self.distances, strict=True):
            grouped.setdefault(query, []).append((candidate, distance))
        return grouped

    def pairs(self) -> RankedList:
        """Return the candidates and distances of all rows, for the lists of an upload, which is the only query."""
        return list(zip(self.candidates, self.distances, strict=True))

    @classmethod
    def of_upload(cls, upload: UploadId, found: Iterable[tuple[AudioId, float]]) -> "RankedLists":
        """Make the rows of an upload, which hold the upload id in place of the audio id of the query."""
        return cls.of({AudioId(upload): found})

    @classmethod
    def of(cls, grouped: Mapping[AudioId, Iterable[tuple[AudioId, float]]]) -> "RankedLists":
        """Make rows of the candidates and distances of each query. It is the inverse of `by_query`."""
        rows = [(query, candidate, distance) for query, found in grouped.items() for candidate, distance in found]
        queries, candidates, distances = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(queries, candidates, distances)


class RankingStore:
    """Reads and writes the ranked lists of two stages, ``candidates`` and ``rankings``."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def write(self, stage: Stage, version: str, shard_or_upload: str, lists: RankedLists) -> None:
        """Write the lists of a shard or an upload."""
        columns = {"audio_id": lists.queries, "candidate": lists.candidates, "distance": lists.distances}
        name = _name(stage, version, shard_or_upload)
        with self._blobs.writing(CEPSTRA, name) as file:
            write_parquet(pa.table(columns, schema=_SCHEMA), file, name)

    def read(self, stage: Stage, version: str, shard_or_upload: str) -> RankedLists | None:
        """Return the lists of a shard or an upload; None if they were not computed.

        Raises
        ------
        CorruptIndex
            If the file is damaged.
        """
        return self._read(_name(stage, version, shard_or_upload))

    def stored(self) -> Iterator[Blob]:
        """Yield the files of all lists of every version. `check` checks one of them."""
        for blob in self._blobs.list(CEPSTRA, "indexes/"):
            _, *folders, _ = blob.name.split("/")
            if folders[1:] and folders[1] in STAGES:
                yield blob

    def check(self, blob: Blob) -> None:
        """Read a file of `stored`. Raises `CorruptIndex` if it is damaged."""
        self._read(blob.name)

    def remove(self, blob: Blob) -> None:
        """Delete a file of `stored`."""
        self._blobs.delete(CEPSTRA, blob.name)

    def _read(self, name: str) -> RankedLists | None:
        try:
            table = read_parquet(pa.BufferReader(self._blobs.read(CEPSTRA, name)), name)
            return RankedLists(*(tuple(table[column].to_pylist()) for column in _SCHEMA.names))
        except BlobNotFound:
            return None
        except (KeyError, DamagedParquetError) as error:
            raise CorruptIndex(
                f"the stored {name.split('/')[2]} are damaged",
                subject=f"{CEPSTRA}/{name}",
                remedy="The next run over the library computes those of the newest index again: `mfcc sync` starts one",
            ) from error

    def delete(self, version: str, shard_or_upload: str) -> None:
        """Delete the lists of a shard or an upload in every stage, if there are any."""
        for stage in STAGES:
            self._blobs.delete(CEPSTRA, _name(stage, version, shard_or_upload))


def _name(stage: Stage, version: str, shard_or_upload: str) -> str:
    return f"indexes/{version}/{stage}/{shard_or_upload}.parquet"
