"""Stored feature files whose version differs from the version of their folder."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets_tests.ranked_library import analysed


def mislabel_cepstra(library: Library, audio_id: AudioId, sound: NDArray[np.float32]) -> None:
    """Store cepstra of another version in the place of the right ones."""
    parameters = library.feature_parameters.cepstra
    other = replace(parameters, lifter=parameters.lifter + 1)
    library.features.write_analysis(audio_id, analysed(sound), other)
    folders = (f"frames/features_version={version}" for version in (other.version, parameters.version))
    _replace(library, audio_id, *folders)


def _replace(library: Library, audio_id: AudioId, source: str, target: str) -> None:
    library.blobs.delete("cepstra", f"{target}/{audio_id}.parquet")
    library.blobs.copy("cepstra", f"{source}/{audio_id}.parquet", "cepstra", f"{target}/{audio_id}.parquet")
