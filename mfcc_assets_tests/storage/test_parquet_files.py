"""Parquet files with checksums: a reader gets what was written, or an error, and never anything else."""

import io
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.ids import AudioId
from mfcc_assets.storage.cepstra_files import encodings_of_cepstra, table_of_cepstra
from mfcc_assets.storage.parquet_files import (
    ROWS_PER_GROUP,
    DamagedParquetError,
    numbers_of,
    read_parquet,
    write_parquet,
)

chance = np.random.default_rng(0)
FRAMES = pa.table({f"COE_{number}": chance.normal(size=500).astype(np.float32) for number in range(1, 5)})
FEATURES = pa.table({"mean": [chance.normal(size=13)], "contour": [chance.normal(size=130).astype(np.float32)]})
RANKINGS = pa.table({"audio_id": ["a", "a", "é"], "candidate": ["b", "c", ""], "distance": [0.5, 1 / 3, -0.0]})
UNSPLIT = {"use_dictionary": False, "use_byte_stream_split": True}
WITH_AUDIO = table_of_cepstra(AudioId("0f" * 16), chance.normal(size=(500, 3)).astype(np.float32))
KINDS = {
    "cepstra": (WITH_AUDIO, encodings_of_cepstra(3)),
    "frames": (FRAMES, UNSPLIT),
    "features": (FEATURES, UNSPLIT),
    "rankings": (RANKINGS, {}),
}
NAME = "frames/5bde6a2c/é.parquet"
METADATA = {b"features_version": b"5bde6a2c"}


def written(table: pa.Table, options: dict[str, Any] | None = None) -> bytes:
    file = io.BytesIO()
    write_parquet(table, file, NAME, metadata=METADATA, **(options or {}))
    return file.getvalue()


def read(stored: bytes, name: str = NAME, **part: Any) -> pa.Table:
    return read_parquet(pa.BufferReader(stored), name, **part)


def same(one: pa.Table, other: pa.Table) -> bool:
    """Return whether two tables have the same columns with the same bits."""
    return one.schema.equals(other.schema) and repr(one.to_pydict()) == repr(other.to_pydict())


@pytest.mark.parametrize(("table", "options"), KINDS.values(), ids=KINDS)
def test_a_table_is_read_as_it_was_written_also_by_other_readers(table, options):
    stored = written(table, options)
    assert same(read(stored), table)
    assert read(stored).schema.metadata[b"features_version"] == METADATA[b"features_version"]
    assert same(pq.read_table(pa.BufferReader(stored)), table)


@pytest.mark.parametrize(("table", "options"), KINDS.values(), ids=KINDS)
def test_no_changed_bit_is_read_as_another_value(table, options):
    stored, draw = written(table, options), random.Random(0)
    footer = 8 * (int.from_bytes(stored[-8:-4], "little") + 8)
    everywhere, in_footer = range(8 * len(stored)), range(8 * len(stored) - footer, 8 * len(stored))
    parts: list[dict[str, Any]] = [{}, {"columns": table.column_names[-1:]}, {"rows": 1}]
    expected = [table, table.select(table.column_names[-1:]), table.slice(0, 1)]
    found = 0
    for bit in (*draw.sample(everywhere, 700), *draw.sample(in_footer, 700)):
        changed = bytearray(stored)
        changed[bit // 8] ^= 1 << bit % 8
        for part, values in zip(parts, expected, strict=True):
            try:
                assert same(read(bytes(changed), **part), values)
            except DamagedParquetError:
                found += 1
    assert found > 700, "damage must be found at all"


@given(st.data())
@settings(max_examples=150)
def test_no_damage_of_any_extent_is_read_as_other_values(data):
    table, options = data.draw(st.sampled_from(list(KINDS.values())))
    stored = written(table, options)
    start = data.draw(st.integers(0, len(stored) - 1))
    damages = [
        lambda part: b"",  # noqa: ARG005  cut off
        lambda part: bytes(min(len(part), 512)) + part[512:],
        lambda part: data.draw(st.binary(min_size=1, max_size=64)) + part,
    ]
    changed = stored[:start] + data.draw(st.sampled_from(damages))(stored[start:])
    try:
        assert same(read(changed), table)
    except DamagedParquetError:
        assert changed != stored


@pytest.mark.parametrize("rows", [0, 1, ROWS_PER_GROUP, ROWS_PER_GROUP + 1])
def test_tables_of_any_length_can_be_read(rows):
    table = pa.table({"number": np.arange(rows)})
    stored = written(table)
    assert same(read(stored), table)
    assert same(read(stored, rows=7), table.slice(0, 7))
    assert same(read(stored, columns=["number"]), table)
    assert pq.ParquetFile(pa.BufferReader(stored)).num_row_groups == -(-rows // ROWS_PER_GROUP)


def test_files_of_older_versions_without_checksums_can_be_read():
    file = io.BytesIO()
    pq.write_table(RANKINGS, file, compression="zstd")
    assert same(read(file.getvalue()), RANKINGS)


@pytest.mark.parametrize("part", [{}, {"rows": 1}, {"columns": ["distance"]}], ids=["all", "rows", "columns"])
def test_an_intact_file_at_the_place_of_another_one_is_not_taken_for_it(part):
    stored = written(RANKINGS)
    assert read(stored, **part)
    with pytest.raises(DamagedParquetError, match="written under another name"):
        read(stored, NAME.replace("é", "e"), **part)


def test_a_file_that_has_lost_its_checksums_is_damaged():
    file = io.BytesIO()
    pq.write_table(RANKINGS.replace_schema_metadata({b"name": NAME.encode()}), file, compression="zstd")
    with pytest.raises(DamagedParquetError, match="checksums are missing"):
        read(file.getvalue())


def test_a_table_with_nulls_is_refused():
    with pytest.raises(ValueError, match="null"):
        written(pa.table({"number": [1, None]}))


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int32(), pa.int64(), pa.uint8()])
@pytest.mark.parametrize("numbers", [[], [3], [1, 2, 3, 4, 5]])
def test_the_numbers_of_a_column_are_those_of_arrow(kind: pa.DataType, numbers: list[int]) -> None:
    whole = pa.array(numbers, kind)
    for column in (whole, whole.slice(1, 2), pa.chunked_array([whole, whole.slice(1)]), pa.chunked_array([], kind)):
        found, expected = numbers_of(column), column.to_numpy()
        assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist())
