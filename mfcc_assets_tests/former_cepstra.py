"""Files of cepstra as older versions of this program wrote them: in other folders, with the coefficients alone."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.parquet_files import write_parquet


def write_former_cepstra(blobs: BlobStore, audio_id: AudioId, cepstra: NDArray[np.float32], version: str) -> str:
    """Write the former file of an audio, and return its name."""
    name = f"frames/{version}/{audio_id}.parquet"
    table = pa.table({f"COE_{number}": column.copy() for number, column in enumerate(cepstra.T, start=1)})
    metadata = {b"features_version": version.encode()}
    with blobs.writing(CEPSTRA, name) as file:
        write_parquet(table, file, name, metadata=metadata, use_dictionary=False, use_byte_stream_split=True)
    return name


def put_former_cepstra(library: Library) -> dict[str, bytes]:
    """Put the former file of every audio in the place of its present one. Return the present files by their names."""
    parameters, present = library.feature_parameters.cepstra, {}
    for audio_id in library.features.audio_with_cepstra(parameters):
        name = f"frames/features_version={parameters.version}/{audio_id}.parquet"
        present[name] = library.blobs.read(CEPSTRA, name)
        cepstra = library.features.read_cepstra(audio_id, parameters)
        write_former_cepstra(library.blobs, audio_id, cepstra, parameters.version)
        library.blobs.delete(CEPSTRA, name)
    return present
