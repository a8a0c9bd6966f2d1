"""The table in a file of cepstra: what it adds to the coefficients, and what that costs."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import AudioId
from mfcc_assets.storage.cepstra_files import encodings_of_cepstra, table_of_cepstra
from mfcc_assets.storage.parquet_files import ROWS_PER_GROUP, write_parquet

AUDIO_ID = AudioId("0f" * 16)


@given(st.integers(0, 500), st.integers(1, 26))
def test_every_row_names_its_audio_and_its_frame(frames, coefficients):
    cepstra = np.random.default_rng(frames).normal(size=(frames, coefficients)).astype(np.float32)
    rows = table_of_cepstra(AUDIO_ID, cepstra).to_pylist()
    assert [(row.pop("audio_id"), row.pop("frame")) for row in rows] == [(AUDIO_ID, frame) for frame in range(frames)]
    assert [list(row.values()) for row in rows] == cepstra.tolist()


@pytest.mark.parametrize("frames", [3_000, 24_000, 3 * ROWS_PER_GROUP])
def test_the_audio_id_and_the_number_of_the_frame_take_less_than_a_hundredth_of_the_file(frames):
    cepstra = np.random.default_rng(0).normal(size=(frames, 13)).cumsum(axis=0).astype(np.float32)
    file = io.BytesIO()
    write_parquet(table_of_cepstra(AUDIO_ID, cepstra), file, "frames/é.parquet", **encodings_of_cepstra(13))
    metadata = pq.ParquetFile(file).metadata
    sizes = {"audio_id": 0, "frame": 0, "COE_1": 0}
    for group in range(metadata.num_row_groups):
        for number in range(3):
            column = metadata.row_group(group).column(number)
            sizes[column.path_in_schema] += column.total_compressed_size
    assert sizes["COE_1"] > 2 * frames
    assert sizes["audio_id"] + sizes["frame"] < 0.01 * file.getbuffer().nbytes
