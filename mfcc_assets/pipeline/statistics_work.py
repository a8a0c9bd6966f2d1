"""Distance statistics of tracks, measured by an engine against the reference sample of a calibration.

The version of this work is the digest of the calibration.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.list_columns import arrays_of, list_column
from mfcc_assets.compute.port import ITEM
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.ids import AudioId
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.similarity.pairwise import Tracks

_SINGLE, _DOUBLE = pa.list_(pa.float32()), pa.list_(pa.float64())

_COLUMNS = [field.name for field in fields(FeatureTable)]

TRACKS = pa.schema(
    [
        *ITEM,
        ("ranking", pa.string()),
        ("contour", _SINGLE),
        *((name, _DOUBLE if name == "means" else _SINGLE) for name in _COLUMNS),
    ]
)
"""Items of `measure_statistics`: a key is an audio id.

They have the name of the ranking, and the numbers of the track: its contour, and its row in each column of
`mfcc_assets.features.track_features.FeatureTable`.
"""

STATISTICS = pa.schema([("means", _DOUBLE), ("deviations", _DOUBLE)])
"""Results of `measure_statistics`: a row of `mfcc_assets.similarity.hubness.DistanceStatistics`."""


def items_of(audio_ids: IdArray[AudioId], tracks: Tracks, ranking: str, tracks_at_once: int) -> Iterator[pa.Table]:
    """Yield tables of `TRACKS` with so many tracks each. A track takes about 30 KB."""
    for first in range(0, len(audio_ids), tracks_at_once):
        rows = np.arange(first, min(first + tracks_at_once, len(audio_ids)))
        some = tracks.rows(rows)
        table = some.feature_table
        columns: dict[str, Any] = {
            "key": list(audio_ids[first : first + tracks_at_once]),
            "shard": [""] * len(rows),
            "cost": some.contours.lengths.astype(np.float64),
            "ranking": [ranking] * len(rows),
            "contour": list_column([frames.ravel() for frames in some.contours], pa.float32()),
            **{
                name: list_column([row.ravel() for row in getattr(table, name)], TRACKS.field(name).type.value_type)
                for name in _COLUMNS
            },
        }
        yield pa.table(columns, schema=TRACKS)


def measure_statistics(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Measure the statistics of `TRACKS` against the calibration with this digest, and return `STATISTICS`.

    Raises
    ------
    CorruptIndex
        If the calibration is missing or damaged.
    """
    ranking = items["ranking"][0].as_py()
    calibration = context.once("calibration", version, lambda: context.indexes.read_calibration(version, ranking))
    arrays = {name: arrays_of(items[name]) for name in ("contour", *_COLUMNS)}
    found = [
        calibration.reference.statistics_of({key}, _track({name: arrays[name][row] for name in arrays}))
        for row, key in enumerate(items["key"].to_pylist())
    ]
    columns = [
        list_column([statistics.means[0] for statistics in found], pa.float64()),
        list_column([statistics.deviations[0] for statistics in found], pa.float64()),
    ]
    return pa.record_batch(columns, schema=STATISTICS)


def _track(numbers: dict[str, NDArray[Any] | None]) -> Tracks:
    arrays = {name: np.empty(0) if array is None else array for name, array in numbers.items()}
    coefficients, contour = len(arrays["means"]), arrays.pop("contour")
    columns: dict[str, Any] = {name: array[np.newaxis] for name, array in arrays.items()}
    columns["covariances"] = arrays["covariances"].reshape(1, coefficients, coefficients)
    columns["treble"] = arrays["treble"]
    frames = contour.reshape(-1, coefficients)
    return Tracks(FeatureTable(**columns), RaggedFrames(frames, np.array([0, len(frames)])))
