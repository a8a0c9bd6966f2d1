"""The content of the files of a stored index: parameters and calibrations, and the names of columns."""

import io
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.track_features import FeatureTable
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.index import Calibration, IndexParameters
from mfcc_assets.similarity.hubness import DistanceStatistics
from mfcc_assets.similarity.pairwise import Reference, Tracks
from mfcc_assets.similarity.rankings import Ranking
from mfcc_assets.similarity.timbre_space import BandSpace, TimbreSpace

DESCRIPTION = "index.json"
"""The last file of a version that is written. A version without it does not exist."""

COLUMN_PARTS = {
    column.name: "embeddings.npy" if column.name == "segment_means" else f"{column.name}.npy"
    for column in fields(FeatureTable)
}
"""File of each column of the feature table. The name ``embeddings`` is older than the name `segment_means`."""


def part_name(version: str, name: str) -> str:
    """Return the blob name of a file of an index."""
    return f"indexes/{version}/{name}"


def parameters_record(parameters: IndexParameters) -> dict[str, Any]:
    """Return parameters as index.json holds them. There `ranked_count` is called ``places``."""
    record = asdict(parameters)
    record["places"] = record.pop("ranked_count")
    return record


def parameters_of_record(record: Mapping[str, Any]) -> IndexParameters:
    """Return the parameters that `parameters_record` wrote. Raises KeyError or TypeError for another record."""
    features = dict(record["features"])
    cepstra = CepstraParameters(**features.pop("cepstra"))
    return IndexParameters(
        features=FeaturesParameters(cepstra=cepstra, **features),
        ranking=record["ranking"],
        ranked_count=record["places"],
    )


def write_calibration(calibration: Calibration, file: BinaryIO) -> None:
    """Write a calibration as an npz file without pickles. Its ranking is in index.json."""
    # NumPy writes such a file only to a file that can seek.
    written = io.BytesIO()
    reference, embedding = calibration.reference, calibration.embedding
    np.savez(
        written,
        audio_ids=np.array(list(reference.audio_ids), dtype="U32"),
        frames=reference.tracks.contours.frames,
        starts=reference.tracks.contours.starts,
        usual_means=reference.statistics.means,
        usual_deviations=reference.statistics.deviations,
        scales=reference.scales,
        spreads=embedding.spreads,
        axes=embedding.axes,
        space_centre=calibration.space.whole.centre,
        space_axes=calibration.space.whole.axes,
        low_space_centre=calibration.space.low.centre,
        low_space_axes=calibration.space.low.axes,
        centres=calibration.centres,
        **{_stem(name): getattr(reference.tracks.feature_table, column) for column, name in COLUMN_PARTS.items()},
    )
    file.write(written.getvalue())


def read_calibration(path: Path, ranking: Ranking) -> Calibration:
    """Read a calibration of this ranking that `write_calibration` wrote.

    Raises
    ------
    KeyError, OSError, ValueError, zipfile.BadZipFile
        If the file does not hold a calibration.
    """
    with np.load(path, allow_pickle=False) as arrays:
        tracks = Tracks(
            FeatureTable(**{column: arrays[_stem(name)] for column, name in COLUMN_PARTS.items()}),
            RaggedFrames(arrays["frames"], arrays["starts"]),
        )
        scales = arrays["scales"]
        statistics = DistanceStatistics(arrays["usual_means"], arrays["usual_deviations"])
        reference = Reference(tuple(arrays["audio_ids"].tolist()), tracks, ranking, scales, statistics)
        embedding = Embedding(ranking, scales, arrays["spreads"], arrays["axes"])
        space = TimbreSpace(
            BandSpace(arrays["space_centre"], arrays["space_axes"]),
            BandSpace(arrays["low_space_centre"], arrays["low_space_axes"]),
        )
        return Calibration(reference, embedding, space, arrays["centres"])


def _stem(name: str) -> str:
    return name.removesuffix(".npy")
