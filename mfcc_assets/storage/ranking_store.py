"""Candidates and rankings of a version of the index, as Parquet in the container `cepstra`.

indexes/<version>/candidates/<shard or upload id>.parquet
indexes/<version>/rankings/<shard or upload id>.parquet
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from mfcc_assets.errors import BlobNotFound, CorruptIndex
from mfcc_assets.storage.blobs.port import BlobStore

CONTAINER = "cepstra"
STAGES = ("candidates", "rankings")
_SCHEMA = pa.schema([("audio_id", pa.string()), ("candidate", pa.string()), ("distance", pa.float64())])
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class RankedLists:
    """Rows of (query audio, candidate audio, distance), each query's rows together and best first."""

    queries: tuple[str, ...]
    candidates: tuple[str, ...]
    distances: tuple[float, ...]

    def by_query(self) -> dict[str, list[tuple[str, float]]]:
        grouped: dict[str, list[tuple[str, float]]] = {}
        for query, candidate, distance in zip(self.queries, self.candidates, self.distances, strict=True):
            grouped.setdefault(query, []).append((candidate, distance))
        return grouped

    @classmethod
    def of(cls, grouped: Mapping[str, Iterable[tuple[str, float]]]) -> "RankedLists":
        rows = [(query, candidate, distance) for query, found in grouped.items() for candidate, distance in found]
        queries, candidates, distances = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(queries, candidates, distances)


class RankingStore:
    """Reads and writes pairs of a stage: ``candidates`` or ``rankings``."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def write(self, stage: str, version: str, part: str, pairs: RankedLists) -> None:
        """Keep the pairs of a part: of a shard, or of an upload."""
        columns = {"audio_id": pairs.queries, "candidate": pairs.candidates, "distance": pairs.distances}
        with self._blobs.writing(CONTAINER, _name(stage, version, part)) as file:
            pq.write_table(pa.table(columns, schema=_SCHEMA), file, compression="zstd")

    def read(self, stage: str, version: str, part: str) -> RankedLists | None:
        """The pairs of a shard or an upload; None where they were not computed.

        Raises
        ------
        CorruptIndex
            They cannot be read.
        """

        def read(name: str) -> RankedLists:
            stored = pq.ParquetFile(pa.BufferReader(self._blobs.read(CONTAINER, name)))
            table = stored.read(use_threads=False)
            return RankedLists(*(tuple(table[column].to_pylist()) for column in _SCHEMA.names))

        return self._look_at(stage, version, part, read)

    def count(self, stage: str, version: str, part: str) -> int | None:
        """How many pairs there are, by what their file says of itself; otherwise as `read`."""

        def count(name: str) -> int:
            with self._blobs.open(CONTAINER, name) as file:
                return int(pq.ParquetFile(file).metadata.num_rows)

        return self._look_at(stage, version, part, count)

    def delete(self, version: str, part: str) -> None:
        """Remove what every stage keeps of a part; it may be gone already."""
        for stage in STAGES:
            self._blobs.delete(CONTAINER, _name(stage, version, part))

    def _look_at(self, stage: str, version: str, part: str, look: Callable[[str], _Found]) -> _Found | None:
        name = _name(stage, version, part)
        try:
            return look(name)
        except BlobNotFound:
            return None
        except (KeyError, OSError, pa.ArrowInvalid) as error:
            raise CorruptIndex(
                f"the stored {stage} are damaged",
                subject=f"{CONTAINER}/{name}",
                remedy=f"Delete that blob. Materialise the {stage} of {part} again",
            ) from error


def _name(stage: str, version: str, part: str) -> str:
    return f"indexes/{version}/{stage}/{part}.parquet"
