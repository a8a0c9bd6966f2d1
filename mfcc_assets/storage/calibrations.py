"""The calibration of an index as one file: NumPy's own format of several arrays, without pickles."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from mfcc_assets.features.frames import Stacked
from mfcc_assets.features.track_features import Summaries
from mfcc_assets.search.embedding import Embedding
from mfcc_assets.search.index import Calibration
from mfcc_assets.similarity.hubness import Usual
from mfcc_assets.similarity.pairwise import Reference, Tracks
from mfcc_assets.similarity.rankings import Ranking
from mfcc_assets.similarity.timbre_space import SoundSpace

_COLUMNS = tuple(column.name for column in fields(Summaries))


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Write a calibration; the name of its ranking is kept beside it."""
    reference, embedding = calibration.reference, calibration.embedding
    np.savez(
        path,
        allow_pickle=False,
        audio_ids=np.array(list(reference.audio_ids), dtype="U32"),
        frames=reference.tracks.contours.frames,
        starts=reference.tracks.contours.starts,
        usual_means=reference.usual.means,
        usual_deviations=reference.usual.deviations,
        scales=reference.scales,
        spreads=embedding.spreads,
        axes=embedding.axes,
        space_centre=calibration.space.centre,
        space_axes=calibration.space.axes,
        **{column: getattr(reference.tracks.summaries, column) for column in _COLUMNS},
    )


def read_calibration(path: Path, ranking: Ranking) -> Calibration:
    """Read what `write_calibration` wrote for this ranking.

    Raises
    ------
    KeyError, OSError, ValueError, zipfile.BadZipFile
        The file holds no calibration.
    """
    with np.load(path, allow_pickle=False) as arrays:
        tracks = Tracks(
            Summaries(*(arrays[column] for column in _COLUMNS)), Stacked(arrays["frames"], arrays["starts"])
        )
        scales = arrays["scales"]
        usual = Usual(arrays["usual_means"], arrays["usual_deviations"])
        reference = Reference(tuple(arrays["audio_ids"].tolist()), tracks, ranking, scales, usual)
        embedding = Embedding(ranking, scales, arrays["spreads"], arrays["axes"])
        return Calibration(reference, embedding, SoundSpace(arrays["space_centre"], arrays["space_axes"]))
