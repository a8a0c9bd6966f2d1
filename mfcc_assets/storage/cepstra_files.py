"""Files of cepstra: their names, and the table in each.

    frames/features_version=<cepstra version>/<audio id>.parquet    audio_id, frame, COE_1 … COE_13
    frames/<cepstra version>/<audio id>.parquet                     COE_1 … COE_13

Together, the files of the first kind are one table for other tools, such as DuckDB, Spark and pandas: the folders are
partitions as Hive names them, and each row names its audio. Older versions of this program wrote the second kind.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mfcc_assets.ids import AudioId

FRAMES = "frames"
_PARTITION = "features_version="
_AUDIO_ID, _FRAME = "audio_id", "frame"


def folders_of_cepstra(version: str) -> tuple[str, str]:
    """Return the present and the former folder of the cepstra of a version, each with the slash at its end.

    Examples
    --------
    >>> folders_of_cepstra("5bde6a2c")
    ('frames/features_version=5bde6a2c/', 'frames/5bde6a2c/')
    """
    return f"{FRAMES}/{_PARTITION}{version}/", f"{FRAMES}/{version}/"


def names_of_cepstra(audio_id: AudioId, version: str) -> tuple[str, str]:
    """Return the present and the former name of the file of an audio."""
    present, former = (f"{folder}{audio_id}.parquet" for folder in folders_of_cepstra(version))
    return present, former


def is_former_folder(folder: str) -> bool:
    """Return whether a folder directly in `FRAMES` is one of an older version of this program."""
    return not folder.startswith(_PARTITION)


def version_in(name: str) -> str:
    """Return the version that the folder of a file of features names.

    Examples
    --------
    >>> version_in("frames/features_version=5bde6a2c/f00d.parquet"), version_in("timbre/5bde6a2c/f00d.parquet")
    ('5bde6a2c', '5bde6a2c')
    """
    return name.split("/")[1].removeprefix(_PARTITION)


def coefficient_names(count: int) -> list[str]:
    """Return the names of the columns of so many coefficients.

    Examples
    --------
    >>> coefficient_names(2)
    ['COE_1', 'COE_2']
    """
    return [f"COE_{number}" for number in range(1, count + 1)]


def table_of_cepstra(audio_id: AudioId, cepstra: NDArray[np.float32]) -> pa.Table:
    """Return cepstra (frames, d) as a table that has the audio id and the number of its frame, from 0, in each row."""
    frames, coefficients = cepstra.shape
    ids = pa.repeat(pa.scalar(audio_id, pa.string()), frames)
    columns = [ids, np.arange(frames, dtype=np.int32), *map(np.ascontiguousarray, cepstra.T)]
    return pa.table(columns, names=[_AUDIO_ID, _FRAME, *coefficient_names(coefficients)])


def encodings_of_cepstra(count: int) -> dict[str, Any]:
    """Return the arguments of `pyarrow.parquet.write_table` for a table of so many coefficients.

    The audio id and the numbers of the frames then take less than a hundredth of the file.
    """
    split = dict.fromkeys(coefficient_names(count), "BYTE_STREAM_SPLIT")
    return {"use_dictionary": [_AUDIO_ID], "column_encoding": {_FRAME: "DELTA_BINARY_PACKED", **split}}
