"""Versions of the library's index in the container `cepstra`, and which of them is published.

indexes/<version>/index.json       parameters and checksums; written last: a version without it does not exist
indexes/<version>/tracks.parquet   a row an audio: what the index was built from
indexes/<version>/prefilter.faiss
indexes/<version>/sketches.npy     all sketches, one after the other
indexes/<version>/candidates/<shard or upload id>.parquet
indexes/<version>/rankings/<shard or upload id>.parquet
indexes/published.json             the pointer: the version that answers
"""

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mfcc_assets.core.errors import BlobNotFound, CorruptIndex, NoPublishedIndex
from mfcc_assets.core.matching import Sketches
from mfcc_assets.core.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.core.prefilter import Prefilter
from mfcc_assets.core.summary import Summaries
from mfcc_assets.stores.blobs import BlobStore

CONTAINER = "cepstra"

_PUBLISHED = "indexes/published.json"
_BUILT = "indexes/built.json"
_REBUILD = "Materialise prefilter_index and what follows it again"
_ADD = "Add music with `mfcc add PATH`, or materialise the library"


@dataclass(frozen=True)
class IndexParameters:
    """What an index was built for, beside its tracks.

    Attributes
    ----------
    features
        How its features were made; a query is analysed in the same way.
    ranking
        Name of the ranking that orders candidates.
    candidates
        How many tracks the prefilter hands to the ranking.
    """

    features: FeaturesParameters
    ranking: str
    candidates: int


@dataclass(frozen=True)
class LibraryIndex:
    """A version of everything that is searched.

    Attributes
    ----------
    tracks
        By audio id the track that stood for it when the index was built.
    summaries
        In the order of `tracks`.
    prefilter
        Search over the embeddings, with the scales.
    calibrated_tracks
        Size of the library when the scales were measured.
    """

    parameters: IndexParameters
    tracks: Mapping[str, str]
    summaries: Summaries
    prefilter: Prefilter
    calibrated_tracks: int

    @cached_property
    def version(self) -> str:
        """Names the index by what it holds: the same library and parameters give the same version."""
        made_for = [self.parameters.features.version, self.parameters.ranking, self.parameters.candidates]
        content = json.dumps([made_for, sorted(self.tracks.items()), self.scales.tolist()])
        return hashlib.blake2b(content.encode(), digest_size=6).hexdigest()

    @property
    def scales(self) -> NDArray[np.float64]:
        return self.prefilter.scales


@dataclass(frozen=True)
class Pairs:
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
    def of(cls, grouped: Mapping[str, Iterable[tuple[str, float]]]) -> "Pairs":
        rows = [(query, candidate, distance) for query, found in grouped.items() for candidate, distance in found]
        queries, candidates, distances = zip(*rows, strict=True) if rows else ((), (), ())
        return cls(queries, candidates, distances)


class IndexStore:
    """Writes, reads and publishes indexes."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def write(self, index: LibraryIndex) -> None:
        """Write an index under its version. A reader never sees half of one."""
        summaries = index.summaries
        columns: dict[str, Any] = {
            "audio_id": list(index.tracks),
            "track_id": list(index.tracks.values()),
            "mean": list(summaries.means),
            "variance": list(summaries.variances),
            "embedding": list(summaries.embeddings),
            "sketch_start": summaries.sketches.starts[:-1],
        }
        parts = {
            "tracks.parquet": _parquet(columns, _TRACKS),
            "prefilter.faiss": index.prefilter.to_bytes(),
            "sketches.npy": _npy(summaries.sketches.frames),
        }
        for name, written in parts.items():
            self._blobs.write(CONTAINER, f"indexes/{index.version}/{name}", written)
        record = {
            "parameters": asdict(index.parameters),
            "features_version": index.parameters.features.version,
            "tracks": len(index.tracks),
            "scales": index.scales.tolist(),
            "calibrated_tracks": index.calibrated_tracks,
            "created_at": datetime.now(UTC).isoformat(),
            "checksums": {name: _checksum(written) for name, written in parts.items()},
        }
        self._write_json(f"indexes/{index.version}/index.json", record)

    def read(self, version: str) -> LibraryIndex:
        """Read a version back.

        Raises
        ------
        NoPublishedIndex
            There is no such version.
        CorruptIndex
            A part is missing or is not what was written. To build the index again replaces it.
        """
        try:
            record = json.loads(self._blobs.read(CONTAINER, f"indexes/{version}/index.json"))
            parts = {name: self._checked_part(version, name, record["checksums"][name]) for name in _PARTS}
            index = _index(record, parts)
        except BlobNotFound as error:
            raise NoPublishedIndex("there is no such index", subject=f"index {version}", remedy=_REBUILD) from error
        except CorruptIndex as error:
            raise _corrupt(version, error.what) from error
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise _corrupt(version, "index.json does not describe an index") from error
        if index.version != version:
            raise _corrupt(version, f"it holds index {index.version}")
        return index

    def publish(self, version: str) -> None:
        """Let this version answer from now on.

        Raises
        ------
        NoPublishedIndex
            There is no such version.
        """
        if not self._blobs.exists(CONTAINER, f"indexes/{version}/index.json"):
            raise NoPublishedIndex("there is no such index", subject=f"index {version}", remedy=_REBUILD)
        self._write_json(_PUBLISHED, {"version": version, "published_at": datetime.now(UTC).isoformat()})

    def set_built(self, version: str) -> None:
        """Remember the version that was built last, which the stages up to its publication work on."""
        self._write_json(_BUILT, {"version": version})

    def built_version(self) -> str:
        """The version that was built last.

        Raises
        ------
        NoPublishedIndex
            None was built yet.
        CorruptIndex
            What is remembered cannot be read.
        """
        version = self._pointed_at(_BUILT)
        if version is None:
            raise NoPublishedIndex("no index was built yet", remedy="Materialise prefilter_index")
        return version

    def published_version(self) -> str | None:
        """The version that answers; None before the first was published.

        Raises
        ------
        CorruptIndex
            The pointer cannot be read.
        """
        return self._pointed_at(_PUBLISHED)

    def published(self) -> LibraryIndex:
        """The index that answers.

        Raises
        ------
        NoPublishedIndex
            None was published yet.
        CorruptIndex
            It cannot be read.
        """
        version = self.published_version()
        if version is None:
            raise NoPublishedIndex("there is no index to search yet", remedy=_ADD)
        return self.read(version)

    def published_if_usable(self) -> LibraryIndex | None:
        """The index that answers; None where there is none, or it cannot be read."""
        try:
            return self.published()
        except (NoPublishedIndex, CorruptIndex):
            return None

    def write_pairs(self, stage: str, version: str, part: str, pairs: Pairs) -> None:
        """Keep the candidates or rankings of a part: of a shard, or of an upload."""
        columns = {"audio_id": pairs.queries, "candidate": pairs.candidates, "distance": pairs.distances}
        self._blobs.write(CONTAINER, _pairs_name(stage, version, part), _parquet(columns, _PAIRS))

    def read_pairs(self, stage: str, version: str, part: str) -> Pairs | None:
        """The candidates or rankings of a shard or an upload; None where they were not computed.

        Raises
        ------
        CorruptIndex
            They cannot be read.
        """
        name = _pairs_name(stage, version, part)
        try:
            table = _table(self._blobs.read(CONTAINER, name))
            return Pairs(*(tuple(table[column].to_pylist()) for column in _PAIRS.names))
        except BlobNotFound:
            return None
        except (KeyError, OSError, pa.ArrowInvalid) as error:
            raise CorruptIndex(
                f"the stored {stage} are damaged",
                subject=f"{CONTAINER}/{name}",
                remedy=f"Delete that blob. Materialise the {stage} of {part} again",
            ) from error

    def write_quality(self, version: str, quality: Mapping[str, float | None]) -> None:
        """Keep what was measured of an index."""
        self._write_json(f"indexes/{version}/quality.json", quality)

    def read_quality(self, version: str) -> dict[str, float | None]:
        """What was measured of an index; nothing where it was not.

        Raises
        ------
        CorruptIndex
            It cannot be read.
        """
        name = f"indexes/{version}/quality.json"
        try:
            quality: dict[str, float | None] = dict(json.loads(self._blobs.read(CONTAINER, name)))
        except BlobNotFound:
            return {}
        except (TypeError, ValueError) as error:
            raise CorruptIndex(
                "the stored figures are damaged",
                subject=f"{CONTAINER}/{name}",
                remedy="Materialise recommendation_quality again",
            ) from error
        return quality

    def _checked_part(self, version: str, name: str, checksum: str) -> bytes:
        try:
            written = self._blobs.read(CONTAINER, f"indexes/{version}/{name}")
        except BlobNotFound as error:
            raise CorruptIndex(f"{name} is missing") from error
        if _checksum(written) != checksum:
            raise CorruptIndex(f"{name} is not what was written")
        return written

    def _pointed_at(self, name: str) -> str | None:
        try:
            return str(json.loads(self._blobs.read(CONTAINER, name))["version"])
        except BlobNotFound:
            return None
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptIndex(
                "the pointer names no index",
                subject=f"{CONTAINER}/{name}",
                remedy="Delete that blob. Materialise the library again",
            ) from error

    def _write_json(self, name: str, record: Mapping[str, object]) -> None:
        self._blobs.write(CONTAINER, name, json.dumps(record, indent=1).encode())


_TRACKS = pa.schema(
    [
        ("audio_id", pa.string()),
        ("track_id", pa.string()),
        ("mean", pa.list_(pa.float64())),
        ("variance", pa.list_(pa.float64())),
        ("embedding", pa.list_(pa.float32())),
        ("sketch_start", pa.int64()),
    ]
)
_PARTS = ("tracks.parquet", "prefilter.faiss", "sketches.npy")
_PAIRS = pa.schema([("audio_id", pa.string()), ("candidate", pa.string()), ("distance", pa.float64())])


def _pairs_name(stage: str, version: str, part: str) -> str:
    return f"indexes/{version}/{stage}/{part}.parquet"


def _index(record: Mapping[str, Any], parts: Mapping[str, bytes]) -> LibraryIndex:
    parameters = _index_parameters(record["parameters"])
    coefficients = parameters.features.cepstra.coefficients
    table = _table(parts["tracks.parquet"])
    audio_ids = tuple(table["audio_id"].to_pylist())
    frames = np.load(io.BytesIO(parts["sketches.npy"]), allow_pickle=False)
    return LibraryIndex(
        parameters=parameters,
        tracks=dict(zip(audio_ids, table["track_id"].to_pylist(), strict=True)),
        summaries=Summaries(
            means=_matrix(table, "mean", coefficients),
            variances=_matrix(table, "variance", coefficients),
            embeddings=_matrix(table, "embedding", parameters.features.segments * coefficients),
            sketches=Sketches(frames, np.append(table["sketch_start"].to_numpy(), len(frames)), audio_ids),
        ),
        prefilter=Prefilter.from_bytes(parts["prefilter.faiss"], audio_ids, np.array(record["scales"])),
        calibrated_tracks=int(record["calibrated_tracks"]),
    )


def _index_parameters(record: Mapping[str, Any]) -> IndexParameters:
    features = dict(record["features"])
    cepstra = CepstraParameters(**features.pop("cepstra"))
    return IndexParameters(**{**record, "features": FeaturesParameters(cepstra=cepstra, **features)})


def _corrupt(version: str, what: str) -> CorruptIndex:
    return CorruptIndex(f"the stored index is corrupt: {what}", subject=f"index {version}", remedy=_REBUILD)


def _parquet(columns: Mapping[str, Any], schema: pa.Schema) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), written, compression="zstd")
    return written.getvalue()


def _table(written: bytes) -> pa.Table:
    return pq.ParquetFile(pa.BufferReader(written)).read(use_threads=False)


def _npy(array: NDArray[np.float32]) -> bytes:
    written = io.BytesIO()
    np.save(written, array, allow_pickle=False)
    return written.getvalue()


def _matrix(table: pa.Table, name: str, width: int) -> NDArray[Any]:
    matrix: NDArray[Any] = table[name].combine_chunks().flatten().to_numpy().reshape(len(table), width)
    return matrix


def _checksum(written: bytes) -> str:
    return hashlib.blake2b(written, digest_size=16).hexdigest()
