"""Stores cepstra, track features and waveforms, as Parquet in the container `cepstra`.

    timbre/<cepstra version>/<audio id>.parquet        one row: the timbre vector
    frames/features_version=<cepstra version>/<audio id>.parquet
                                                       one row per frame: COE_1 … COE_13
    summaries/<features version>/<audio id>.parquet    one row: the track features
    chroma/<chroma version>/<audio id>.parquet         one row per frame: the twelve pitch classes
    waveforms/<waveform version>/<audio id>.parquet    one row per bin: the peak and the levels of three bands
    checked/<features version>.json                    how far these files, except chroma, were checked

Files are named by the audio id and not by the track id, so that a renamed, retagged or duplicate file needs no new
analysis. Damage is noticed when a file is read: see `mfcc_assets.storage.parquet_files`.

Other tools read `frames` as one table: see `mfcc_assets.storage.cepstra_files`. Files of cepstra of older versions of
this program are read, too, until `FeatureStore.take_over` has written them again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound, Conflict, FeaturesDamaged, FeaturesMissing
from mfcc_assets.features.chroma import CHROMA_VERSION, PITCH_CLASSES
from mfcc_assets.features.fingerprint import FINGERPRINT_WIDTH
from mfcc_assets.features.low_band import low_coefficients
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import Analysis, TrackFeatures
from mfcc_assets.features.waveform import BANDS, WAVEFORM_VERSION, Waveform
from mfcc_assets.ids import AudioId
from mfcc_assets.storage.blobs.port import CEPSTRA, Blob, BlobStore
from mfcc_assets.storage.cepstra_files import (
    FRAMES,
    coefficient_names,
    encodings_of_cepstra,
    folders_of_cepstra,
    is_former_folder,
    names_of_cepstra,
    table_of_cepstra,
    version_in,
)
from mfcc_assets.storage.last_check import LastCheck, read_last_check, write_last_check
from mfcc_assets.storage.parquet_files import (
    DamagedParquetError,
    numbers_of,
    one_list,
    read_parquet,
    values_of_lists,
    write_parquet,
)
from mfcc_assets.storage.run_listings import RunListings

_VERSION = b"features_version"

_STORED_NAMES = {field.name: field.name for field in fields(TrackFeatures)} | {
    "segment_means": "embedding",
    "fingerprint": "sketch",
}
"""Column of each field of `TrackFeatures`. Two columns have older names than their fields."""

_BACKFILL = "Run `mfcc sync`, or backfill soundtrack_cepstra and soundtrack_summaries over all shards"
_RUN = "The next run over the library computes them again: `mfcc sync` starts one"


class FeatureStore:
    """Reads and writes the features of each audio.

    Methods that ask which features there are take the id of a run. The steps of a run then share one listing.

    Parameters
    ----------
    blobs
        Store of the blobs.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._listings = RunListings(blobs, CEPSTRA)

    def audio_with_cepstra(self, parameters: CepstraParameters, run_id: str = "") -> set[AudioId]:
        """Return the ids of all audio with stored cepstra and timbre."""
        # The former folder comes first: a run that takes its files over meanwhile hides none of them.
        folders = reversed(folders_of_cepstra(parameters.version))
        cepstra = [self._audio_ids(folder, run_id) for folder in folders]
        return set().union(*cepstra) & self._audio_ids(f"timbre/{parameters.version}/", run_id)

    def audio_with_track_features(self, parameters: FeaturesParameters, run_id: str = "") -> set[AudioId]:
        """Return the ids of all audio with stored track features."""
        return self._audio_ids(f"summaries/{parameters.version}/", run_id)

    def has_cepstra(self, audio_id: AudioId, parameters: CepstraParameters) -> bool:
        """Return whether the cepstra and the timbre of an audio are stored."""
        frames = any(self._blobs.exists(CEPSTRA, name) for name in names_of_cepstra(audio_id, parameters.version))
        return frames and self._blobs.exists(CEPSTRA, _timbre_name(audio_id, parameters))

    def has_track_features(self, audio_id: AudioId, parameters: FeaturesParameters) -> bool:
        """Return whether the track features of an audio are stored."""
        return self._blobs.exists(CEPSTRA, _track_features_name(audio_id, parameters))

    def write_analysis(self, audio_id: AudioId, analysis: Analysis, parameters: CepstraParameters) -> None:
        """Write the cepstra and the timbre of an audio. Raises ValueError if they do not fit the parameters."""
        # The frames are written last: if they are there, the timbre is there too.
        timbre = pa.table({"timbre": one_list(analysis.timbre)})
        self._write(_timbre_name(audio_id, parameters), timbre, parameters.version)
        cepstra = analysis.cepstra
        if cepstra.ndim != 2 or cepstra.shape[1] != parameters.coefficients or cepstra.dtype != np.float32:
            raise ValueError(
                f"cepstra are frames x {parameters.coefficients} of float32, not {cepstra.shape} of {cepstra.dtype}"
            )
        self._write_cepstra(audio_id, cepstra, parameters.version)

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
            If there are no cepstra with these parameters.
        FeaturesDamaged
            If the file is damaged, or is that of other audio or of other parameters.
        """
        rows = None if seconds is None else round(seconds / parameters.step_seconds)
        columns = coefficient_names(parameters.coefficients)
        present, former = names_of_cepstra(audio_id, parameters.version)
        # A run may take over the former file between the first two.
        for name in (present, former, present):
            try:
                return _matrix(self._read(name, parameters.version, columns=columns, rows=rows))
            except FeaturesDamaged:
                raise
            except FeaturesMissing as error:
                missing = error
        raise missing

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
        row = {name: one_list(np.ravel(getattr(track_features, field))) for field, name in _STORED_NAMES.items()}
        self._write(_track_features_name(audio_id, parameters), pa.table(row), parameters.version)

    def read_track_features(self, audio_id: AudioId, parameters: FeaturesParameters) -> TrackFeatures:
        """Return the track features of an audio. Raises as `read_cepstra`."""
        name = _track_features_name(audio_id, parameters)
        table = self._read(name, parameters.version)
        coefficients = low_coefficients(parameters.cepstra)
        try:
            return TrackFeatures(
                mean=_numbers(table, "mean").reshape(coefficients),
                covariance=_numbers(table, "covariance").reshape(coefficients, coefficients),
                contour=_numbers(table, "contour").reshape(-1, coefficients),
                segment_means=_numbers(table, "embedding").reshape(parameters.segments * coefficients),
                fingerprint=_numbers(table, "sketch").reshape(-1, FINGERPRINT_WIDTH),
                timbre=_numbers(table, "timbre").reshape(WIDTH),
                treble=float(_numbers(table, "treble").reshape(())),
            )
        except (KeyError, ValueError) as error:
            raise _damaged(name) from error

    def audio_with_chroma(self) -> set[AudioId]:
        """Return the ids of all audio with stored chroma."""
        return self._audio_ids(f"chroma/{CHROMA_VERSION}/")

    def write_chroma(self, audio_id: AudioId, chroma: NDArray[np.float32]) -> None:
        """Write the chroma (frames, 12) of an audio: see `mfcc_assets.features.chroma.chroma_of`."""
        table = pa.table([np.ascontiguousarray(column) for column in chroma.T], names=list(PITCH_CLASSES))
        self._write(_chroma_name(audio_id), table, CHROMA_VERSION)

    def read_chroma(self, audio_id: AudioId) -> NDArray[np.float32]:
        """Return the chroma (frames, 12) of an audio. Raises as `read_cepstra`."""
        name = _chroma_name(audio_id)
        table = self._read(name, CHROMA_VERSION)
        if table.column_names != list(PITCH_CLASSES):
            raise _damaged(name)
        return _matrix(table)

    def audio_with_waveform(self, run_id: str = "") -> set[AudioId]:
        """Return the ids of all audio with a stored waveform."""
        return self._audio_ids(f"waveforms/{WAVEFORM_VERSION}/", run_id)

    def has_waveform(self, audio_id: AudioId) -> bool:
        """Return whether the waveform of an audio is stored."""
        return self._blobs.exists(CEPSTRA, _waveform_name(audio_id))

    def write_waveform(self, audio_id: AudioId, waveform: Waveform) -> None:
        """Write the waveform of an audio. That of a long track takes about 5 KB."""
        columns = np.column_stack([waveform.peaks, waveform.bands]).T
        table = pa.table([np.ascontiguousarray(column) for column in columns], names=["peaks", *BANDS])
        # The least and the greatest number of each column would make the file a sixth larger.
        self._write(_waveform_name(audio_id), table, WAVEFORM_VERSION, write_statistics=False)

    def read_waveform(self, audio_id: AudioId) -> Waveform:
        """Return the waveform of an audio. Raises as `read_cepstra`.

        It hardly depends on the parameters of the cepstra from which its bands were computed, so it has none.
        """
        name = _waveform_name(audio_id)
        table = self._read(name, WAVEFORM_VERSION)
        if table.column_names != ["peaks", *BANDS]:
            raise _damaged(name)
        peaks, *bands = (numbers_of(column) for column in table.columns)
        return Waveform(peaks, np.column_stack(bands))

    def delete(self, audio_id: AudioId, parameters: FeaturesParameters) -> None:
        """Delete all features of an audio with these parameters, if there are any."""
        for name in (
            *names_of_cepstra(audio_id, parameters.cepstra.version),
            _timbre_name(audio_id, parameters.cepstra),
            _track_features_name(audio_id, parameters),
            _chroma_name(audio_id),
            _waveform_name(audio_id),
        ):
            self._delete(name)

    def forget_listings(self) -> None:
        """Forget which features there were when a run last asked, because its work begins now."""
        self._listings.forget()

    def cepstra_were_written(self, parameters: CepstraParameters) -> None:
        """Let runs see the cepstra and the timbre that another process has written meanwhile."""
        for folder in (*folders_of_cepstra(parameters.version), f"timbre/{parameters.version}/"):
            self._listings.changed(folder)

    def track_features_were_written(self, parameters: FeaturesParameters) -> None:
        """Let runs see the track features that another process has written meanwhile."""
        self._listings.changed(f"summaries/{parameters.version}/")

    def stored(self, parameters: FeaturesParameters, run_id: str = "") -> list[Blob]:
        """Return the files of all features with these parameters. `check` checks one of them."""
        cepstra = parameters.cepstra.version
        of_parameters = (f"timbre/{cepstra}/", *folders_of_cepstra(cepstra), f"summaries/{parameters.version}/")
        folders = (*of_parameters, f"waveforms/{WAVEFORM_VERSION}/")
        return [blob for folder in folders for blob in self._listings.of(folder, run_id)]

    def check(self, blob: Blob) -> None:
        """Read a file of `stored` whole.

        Raises
        ------
        FeaturesMissing
            If it was deleted meanwhile, is damaged, or was made with other parameters than its folder says.
        """
        self._read(blob.name, version_in(blob.name))

    def last_check(self, parameters: FeaturesParameters) -> LastCheck:
        """Return what `set_last_check` stored, or a check of nothing if nothing is stored or it is damaged."""
        return read_last_check(self._blobs, parameters.version)

    def set_last_check(self, check: LastCheck, parameters: FeaturesParameters) -> None:
        """Store how far the files of `stored` were checked."""
        write_last_check(self._blobs, parameters.version, check)

    def remove(self, blob: Blob) -> None:
        """Delete a file of `stored`. The next run computes what it held."""
        self._delete(blob.name)

    def former_cepstra(self) -> Iterator[Blob]:
        """Yield the files of cepstra that older versions of this program wrote, of all parameters."""
        for folder in sorted(filter(is_former_folder, self._blobs.folders(CEPSTRA, FRAMES))):
            yield from self._blobs.list(CEPSTRA, f"{FRAMES}/{folder}/")

    def take_over(self, blob: Blob) -> None:
        """Write a file of `former_cepstra` as cepstra are written now, and delete it. Nothing is computed.

        Raises
        ------
        FeaturesMissing
            If it was deleted meanwhile, or is damaged.
        """
        version, audio_id = version_in(blob.name), AudioId(PurePosixPath(blob.name).stem)
        present, _ = names_of_cepstra(audio_id, version)
        # It was written already if the former file was damaged, or if a run was killed before it could delete it.
        if not self._blobs.exists(CEPSTRA, present):
            table = self._read(blob.name, version)
            if table.column_names != coefficient_names(table.num_columns):
                raise _damaged(blob.name)
            self._write_cepstra(audio_id, _matrix(table), version)
        self._delete(blob.name)

    def _audio_ids(self, prefix: str, run_id: str = "") -> set[AudioId]:
        names = (blob.name for blob in self._listings.of(prefix, run_id))
        return {AudioId(name.removeprefix(prefix).removesuffix(".parquet")) for name in names}

    def _write_cepstra(self, audio_id: AudioId, cepstra: NDArray[np.float32], version: str) -> None:
        name, _ = names_of_cepstra(audio_id, version)
        self._write(name, table_of_cepstra(audio_id, cepstra), version, **encodings_of_cepstra(cepstra.shape[1]))

    def _write(self, name: str, table: pa.Table, version: str, **options: Any) -> None:
        # Values of features hardly repeat, so dictionaries would only cost time. Splitting the bytes of the floats
        # makes the files a quarter smaller.
        encodings = {"use_dictionary": False, "use_byte_stream_split": "column_encoding" not in options}
        try:
            with self._blobs.writing(CEPSTRA, name) as file:
                write_parquet(table, file, name, metadata={_VERSION: version.encode()}, **(encodings | options))
        except Conflict:
            # Another writer finished first. It wrote the same, and Azure dropped the blocks of this write.
            return
        finally:
            self._listings.changed(name)

    def _delete(self, name: str) -> None:
        self._blobs.delete(CEPSTRA, name)
        self._listings.changed(name)

    def _read(
        self, name: str, version: str, *, columns: Sequence[str] | None = None, rows: int | None = None
    ) -> pa.Table:
        try:
            if rows is None:
                # The whole blob takes one request.
                table = read_parquet(pa.BufferReader(self._blobs.read(CEPSTRA, name)), name, columns=columns)
            else:
                with self._blobs.open(CEPSTRA, name) as file:
                    table = read_parquet(file, name, columns=columns, rows=rows)
        except DamagedParquetError as error:
            raise _damaged(name) from error
        except BlobNotFound as error:
            missing = f"there are no features of version {version}"
            raise FeaturesMissing(missing, subject=f"{CEPSTRA}/{name}", remedy=_BACKFILL) from error
        if (table.schema.metadata or {}).get(_VERSION) != version.encode():
            raise _damaged(name)
        return table


def _damaged(name: str) -> FeaturesDamaged:
    return FeaturesDamaged("the stored features are damaged", subject=f"{CEPSTRA}/{name}", remedy=_RUN)


def _matrix(table: pa.Table) -> NDArray[np.float32]:
    return np.column_stack([numbers_of(column) for column in table.columns])


def _numbers(table: pa.Table, name: str) -> NDArray[Any]:
    return numbers_of(values_of_lists(table[name].combine_chunks()))


def _timbre_name(audio_id: AudioId, parameters: CepstraParameters) -> str:
    return f"timbre/{parameters.version}/{audio_id}.parquet"


def _chroma_name(audio_id: AudioId) -> str:
    return f"chroma/{CHROMA_VERSION}/{audio_id}.parquet"


def _waveform_name(audio_id: AudioId) -> str:
    return f"waveforms/{WAVEFORM_VERSION}/{audio_id}.parquet"


def _track_features_name(audio_id: AudioId, parameters: FeaturesParameters) -> str:
    return f"summaries/{parameters.version}/{audio_id}.parquet"
