"""Stores cepstra and track features, as Parquet in the container `cepstra`.

    timbre/<cepstra version>/<audio id>.parquet        one row: the timbre vector
    frames/<cepstra version>/<audio id>.parquet        one row per frame: COE_1 … COE_13
    summaries/<features version>/<audio id>.parquet    one row: the track features

Files are named by the audio id and not by the track id, so that a renamed, retagged or duplicate file needs no new
analysis.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import fields
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound, Conflict, FeaturesMissing, FeaturesVersionMismatch
from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import Analysis, TrackFeatures
from mfcc_assets.ids import AudioId
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore

ROWS_PER_GROUP = 30_000
"""Rows in one group of a Parquet file: five minutes of frames. The beginning of a long recording can be read alone, and
most tracks have one group, which is faster than several."""

_VERSION = b"features_version"

_STORED_NAMES = {field.name: field.name for field in fields(TrackFeatures)} | {
    "segment_means": "embedding",
    "fingerprint": "sketch",
}
"""Column of each field of `TrackFeatures`. Two columns have older names than their fields."""

_BACKFILL = "Backfill soundtrack_cepstra and soundtrack_summaries over all shards"

# A stored blob is not computed again. Readers do not delete damaged ones, because a reader that lacks a codec would
# delete all of them.
_DELETE_AND_BACKFILL = f"Delete that blob. {_BACKFILL}"


class FeatureStore:
    """Reads and writes the features of each audio.

    Parameters
    ----------
    blobs
        Store of the blobs.
    cached_bytes
        Largest size of all cached contours together. A contour of four minutes has 25 KB, so 4,000 of them fit by
        default.
    """

    def __init__(self, blobs: BlobStore, *, cached_bytes: int = 100_000_000) -> None:
        self._blobs = blobs
        self._contours = _ContourCache(cached_bytes)

    def audio_with_cepstra(self, parameters: CepstraParameters) -> set[AudioId]:
        """Return the ids of all audio with stored cepstra."""
        return self._audio_ids(f"frames/{parameters.version}/")

    def audio_with_track_features(self, parameters: FeaturesParameters) -> set[AudioId]:
        """Return the ids of all audio with stored track features."""
        return self._audio_ids(f"summaries/{parameters.version}/")

    def has_cepstra(self, audio_id: AudioId, parameters: CepstraParameters) -> bool:
        """Return whether the cepstra of an audio are stored."""
        return self._blobs.exists(CEPSTRA, _frames_name(audio_id, parameters))

    def has_track_features(self, audio_id: AudioId, parameters: FeaturesParameters) -> bool:
        """Return whether the track features of an audio are stored."""
        return self._blobs.exists(CEPSTRA, _track_features_name(audio_id, parameters))

    def write_analysis(self, audio_id: AudioId, analysis: Analysis, parameters: CepstraParameters) -> None:
        """Write the cepstra and the timbre of an audio. Raises ValueError if they do not fit the parameters."""
        # The frames are written last: if they are there, the timbre is there too.
        timbre = pa.table({"timbre": [analysis.timbre]})
        self._write(_timbre_name(audio_id, parameters), timbre, parameters.version)
        cepstra = analysis.cepstra
        if cepstra.ndim != 2 or cepstra.shape[1] != parameters.coefficients or cepstra.dtype != np.float32:
            raise ValueError(
                f"cepstra are frames x {parameters.coefficients} of float32, not {cepstra.shape} of {cepstra.dtype}"
            )
        names = [f"COE_{number}" for number in range(1, cepstra.shape[1] + 1)]
        table = pa.table([np.ascontiguousarray(column) for column in cepstra.T], names=names)
        self._write(_frames_name(audio_id, parameters), table, parameters.version)

    def read_cepstra(
        self, audio_id: AudioId, parameters: CepstraParameters, *, seconds: float | None = None
    ) -> NDArray[np.float32]:
        """Return cepstra of shape (frames, d).

        Parameters
        ----------
        audio_id
            Id of the audio.
        parameters
            Parameters with which the cepstra were computed.
        seconds
            Length of the beginning to return. Little more than that is fetched. By default everything.

        Raises
        ------
        FeaturesMissing
            If there are no cepstra with these parameters, or the file is damaged.
        FeaturesVersionMismatch
            If the file was made with other parameters than its folder says.
        """
        name = _frames_name(audio_id, parameters)
        rows = None if seconds is None else round(seconds / parameters.step_seconds)
        table = self._read(name, parameters.version, rows=rows)
        if table.num_columns != parameters.coefficients:
            raise _damaged(name)
        return np.column_stack([column.to_numpy() for column in table.columns])

    def read_analysis(self, audio_id: AudioId, parameters: CepstraParameters) -> Analysis:
        """Return the cepstra and the timbre of an audio. Raises as `read_cepstra`."""
        name = _timbre_name(audio_id, parameters)
        try:
            timbre = _numbers(self._read(name, parameters.version), "timbre").reshape(WIDTH)
        except (KeyError, ValueError) as error:
            raise _damaged(name) from error
        return Analysis(self.read_cepstra(audio_id, parameters), timbre)

    def write_track_features(
        self, audio_id: AudioId, track_features: TrackFeatures, parameters: FeaturesParameters
    ) -> None:
        """Write the track features of an audio."""
        row = {name: [getattr(track_features, field).ravel()] for field, name in _STORED_NAMES.items()}
        self._write(_track_features_name(audio_id, parameters), pa.table(row), parameters.version)

    def read_track_features(self, audio_id: AudioId, parameters: FeaturesParameters) -> TrackFeatures:
        """Return the track features of an audio. Raises as `read_cepstra`."""
        name = _track_features_name(audio_id, parameters)
        table = self._read(name, parameters.version)
        coefficients = parameters.cepstra.coefficients
        try:
            return TrackFeatures(
                mean=_numbers(table, "mean").reshape(coefficients),
                covariance=_numbers(table, "covariance").reshape(coefficients, coefficients),
                contour=_numbers(table, "contour").reshape(-1, coefficients),
                segment_means=_numbers(table, "embedding").reshape(parameters.segments * coefficients),
                fingerprint=_numbers(table, "sketch").reshape(-1, FINGERPRINT_WIDTH),
                timbre=_numbers(table, "timbre").reshape(WIDTH),
            )
        except (KeyError, ValueError) as error:
            raise _damaged(name) from error

    def read_contour(self, audio_id: AudioId, parameters: FeaturesParameters) -> NDArray[np.float32]:
        """Return the contour alone, of shape (m, d) and read-only, from a bounded cache. Raises as `read_cepstra`."""
        name = _track_features_name(audio_id, parameters)
        contour = self._contours.get(name)
        if contour is None:
            table = self._read(name, parameters.version, columns=["contour"])
            try:
                contour = _numbers(table, "contour").reshape(-1, parameters.cepstra.coefficients)
            except (KeyError, ValueError) as error:
                raise _damaged(name) from error
            self._contours.put(name, contour)
        return contour

    def delete(self, audio_id: AudioId, parameters: FeaturesParameters) -> None:
        """Delete all features of an audio with these parameters, if there are any."""
        for name in (
            _frames_name(audio_id, parameters.cepstra),
            _timbre_name(audio_id, parameters.cepstra),
            _track_features_name(audio_id, parameters),
        ):
            self._blobs.delete(CEPSTRA, name)

    def _audio_ids(self, prefix: str) -> set[AudioId]:
        names = (blob.name for blob in self._blobs.list(CEPSTRA, prefix))
        return {AudioId(name.removeprefix(prefix).removesuffix(".parquet")) for name in names}

    def _write(self, name: str, table: pa.Table, version: str) -> None:
        # Values of cepstra hardly repeat, so dictionaries would only cost time. Splitting the bytes of the floats makes
        # the files a quarter smaller.
        try:
            with self._blobs.writing(CEPSTRA, name) as file:
                pq.write_table(
                    table.replace_schema_metadata({_VERSION: version.encode()}),
                    file,
                    compression="zstd",
                    use_dictionary=False,
                    use_byte_stream_split=True,
                    row_group_size=ROWS_PER_GROUP,
                )
        except Conflict:
            # Another writer finished first. It wrote the same, and Azure dropped the blocks of this write.
            return

    def _read(
        self, name: str, version: str, *, columns: Sequence[str] | None = None, rows: int | None = None
    ) -> pa.Table:
        try:
            if columns is None and rows is None:
                # The whole blob takes one request.
                table = _table(pa.BufferReader(self._blobs.read(CEPSTRA, name)))
            else:
                with self._blobs.open(CEPSTRA, name) as file:
                    table = _table(file, columns, rows)
        except BlobNotFound as error:
            missing = f"there are no features of version {version}"
            raise FeaturesMissing(missing, subject=f"{CEPSTRA}/{name}", remedy=_BACKFILL) from error
        except (pa.ArrowInvalid, OSError) as error:
            raise _damaged(name) from error
        found = (table.schema.metadata or {}).get(_VERSION, b"").decode()
        if found != version:
            raise FeaturesVersionMismatch(
                f"the file holds features of version {found or 'unknown'} where {version} is expected",
                subject=f"{CEPSTRA}/{name}",
                remedy=_DELETE_AND_BACKFILL,
            )
        return table


def _table(file: Any, columns: Sequence[str] | None = None, rows: int | None = None) -> pa.Table:
    # ParquetFile without threads is faster than read_table for such small files.
    stored = pq.ParquetFile(file)
    if rows is None:
        return stored.read(columns=columns, use_threads=False)
    groups = range(min(stored.num_row_groups, max(1, -(-rows // ROWS_PER_GROUP))))
    return stored.read_row_groups(list(groups), columns=columns, use_threads=False).slice(0, rows)


def _damaged(name: str) -> FeaturesMissing:
    return FeaturesMissing("the stored features are damaged", subject=f"{CEPSTRA}/{name}", remedy=_DELETE_AND_BACKFILL)


class _ContourCache:
    """A thread-safe cache of the contours used last, of up to `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._contours: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, name: str) -> NDArray[np.float32] | None:
        with self._lock:
            if name in self._contours:
                self._contours.move_to_end(name)
            return self._contours.get(name)

    def put(self, name: str, contour: NDArray[np.float32]) -> None:
        # All callers share the array.
        contour.flags.writeable = False
        with self._lock:
            former = self._contours.pop(name, None)
            self._bytes += contour.nbytes - (0 if former is None else former.nbytes)
            self._contours[name] = contour
            while self._bytes > self._most_bytes:
                _, oldest = self._contours.popitem(last=False)
                self._bytes -= oldest.nbytes


def _numbers(table: pa.Table, name: str) -> NDArray[Any]:
    numbers: NDArray[Any] = table[name].combine_chunks().flatten().to_numpy()
    return numbers


def _frames_name(audio_id: AudioId, parameters: CepstraParameters) -> str:
    return f"frames/{parameters.version}/{audio_id}.parquet"


def _timbre_name(audio_id: AudioId, parameters: CepstraParameters) -> str:
    return f"timbre/{parameters.version}/{audio_id}.parquet"


def _track_features_name(audio_id: AudioId, parameters: FeaturesParameters) -> str:
    return f"summaries/{parameters.version}/{audio_id}.parquet"
