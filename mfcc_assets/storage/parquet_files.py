"""Writes Parquet files with checksums, and reads them without ever returning other values than were written.

Every page has the checksum of the Parquet format. Those checksums leave out the footer and the headers of the pages,
where a changed bit can rename a column or change its length. The metadata of the file therefore also holds a CRC-32 of
the values of each column in each row group, which is compared with the values that were read. Other readers ignore it,
and see a plain Parquet file.

Files of older versions have no checksums. They are read as they are.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mfcc_assets.errors import StoreError

ROWS_PER_GROUP = 30_000
"""Rows in one group of a Parquet file: five minutes of frames. The beginning of a long recording can be read alone, and
most tracks have one group, which is faster than several."""

_CODEC = "zstd"
_CHECKSUMS = b"checksums"
_NAME = b"name"


class DamagedParquetError(Exception):
    """The file is not what was written."""


def write_parquet(
    table: pa.Table, file: Any, name: str, *, metadata: Mapping[bytes, bytes] | None = None, **options: Any
) -> None:
    """Write a table with checksums.

    Parameters
    ----------
    table
        The table. Its columns hold numbers, strings, or lists of numbers, and no nulls.
    file
        File open for writing.
    name
        Name under which the file is stored and read.
    metadata
        Metadata of the file. Its damage is noticed too, unless the table has no rows.
    options
        Further arguments of `pyarrow.parquet.write_table`.
    """
    own = {**(metadata or {}), _NAME: name.encode()}
    groups = [table.slice(first, ROWS_PER_GROUP) for first in range(0, table.num_rows, ROWS_PER_GROUP)]
    checksums = {column: [_checksum(group[column], own) for group in groups] for column in table.column_names}
    with pq.ParquetWriter(
        file,
        table.schema.with_metadata({**own, _CHECKSUMS: json.dumps(checksums).encode()}),
        compression=_CODEC,
        write_page_checksum=True,
        **options,
    ) as writer:
        for group in groups:
            writer.write_table(group)


def read_parquet(file: Any, name: str, *, columns: Sequence[str] | None = None, rows: int | None = None) -> pa.Table:
    """Read a table, or a part of it, and compare its values with the checksums.

    Parameters
    ----------
    file
        File open for reading.
    name
        Name under which the file was written.
    columns
        Names of the columns to read. By default all.
    rows
        Number of rows to read from the beginning. By default all.

    Returns
    -------
    pyarrow.Table
        The table, with the metadata of the file.

    Raises
    ------
    DamagedParquetError
        If the file is not what was written under this name.
    StoreError
        If this installation cannot decode any such file.
    """
    if not pa.Codec.is_available(_CODEC):
        raise StoreError(
            f"this installation of pyarrow cannot decode {_CODEC}", remedy="Install pyarrow as its project builds it"
        )
    try:
        return _read(file, name, columns, rows)
    except OSError as error:
        if error.errno is not None:
            raise  # the disk failed, and not the content
        raise DamagedParquetError(str(error)) from error
    except (pa.ArrowException, KeyError, IndexError, OverflowError, TypeError, ValueError) as error:
        raise DamagedParquetError(str(error)) from error


def _read(file: Any, name: str, columns: Sequence[str] | None, rows: int | None) -> pa.Table:
    # ParquetFile without threads is faster than read_table for such small files.
    stored = pq.ParquetFile(file, page_checksum_verification=True)
    metadata = dict(stored.schema_arrow.metadata or {})
    if metadata.get(_NAME, name.encode()) != name.encode():
        raise DamagedParquetError("it was written under another name")
    written = metadata.pop(_CHECKSUMS, None)
    if written is None and _NAME in metadata:
        raise DamagedParquetError("its checksums are missing")
    checksums: dict[str, list[int]] | None = None if written is None else json.loads(written)
    if checksums is not None:
        if list(checksums) != stored.schema_arrow.names:
            raise DamagedParquetError("it has other columns than were written")
        if {len(of_groups) for of_groups in checksums.values()} - {stored.num_row_groups}:
            raise DamagedParquetError("it has another number of row groups than was written")
    names = stored.schema_arrow.names if columns is None else list(columns)
    groups: list[pa.Table] = []
    for number in range(stored.num_row_groups):
        if rows is not None and sum(group.num_rows for group in groups) >= rows:
            break
        group = stored.read_row_group(number, columns=columns, use_threads=False)
        if group.column_names != names:
            raise DamagedParquetError("a column is missing")
        for column in group.column_names:
            if checksums is not None and _checksum(group[column], metadata) != checksums[column][number]:
                raise DamagedParquetError(f"the values of {column} are not what was written")
        groups.append(group)
    table = pa.concat_tables(groups) if groups else stored.schema_arrow.empty_table().select(names)
    return table if rows is None else table.slice(0, rows)


def values_of_lists(lists: pa.ListArray) -> pa.Array:
    """Return the values of all lists, none of which is null, one list after the other.

    Arrow's own `flatten` gives the same, and imports a library of functions for it, which takes longer than the rest.
    """
    first, last = lists.offsets[0].as_py(), lists.offsets[-1].as_py()
    return lists.values.slice(first, last - first)


def one_list(numbers: NDArray[Any]) -> pa.ListArray:
    """Return a column of one row: a list of these numbers. Arrow's own conversion of a list imports pandas, too."""
    return pa.ListArray.from_arrays(pa.array([0, len(numbers)], pa.int32()), pa.array(numbers))


def numbers_of(values: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Return numbers, none of which is null, as an array that may not be written.

    Arrow's own `to_numpy` gives the same, and imports pandas for it if that is installed, which takes longer than the
    rest.
    """
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if not (pa.types.is_integer(whole.type) or pa.types.is_floating(whole.type)):
        raise TypeError(f"{whole.type} are no numbers")
    dtype = np.dtype(whole.type.to_pandas_dtype())
    if not len(whole):
        return np.empty(0, dtype)
    return np.frombuffer(whole.buffers()[1], dtype, len(whole), whole.offset * dtype.itemsize)


def _checksum(column: pa.ChunkedArray, metadata: Mapping[bytes, bytes]) -> int:
    """Return the CRC-32 of the values of a column, and of the metadata of the file.

    It depends on the values alone, and not on how a version of Arrow lays them out.
    """
    if column.null_count:
        raise ValueError("a value is null")
    checksum = 0
    for key in sorted(metadata):
        if key != b"ARROW:schema":
            checksum = zlib.crc32(metadata[key], zlib.crc32(key, checksum))
    values = column.combine_chunks()
    if pa.types.is_list(values.type):
        checksum = _checksum_of_numbers(np.diff(numbers_of(values.offsets)), checksum)
        values = values_of_lists(values)
    if pa.types.is_string(values.type):
        # The bytes of all strings lie one behind the other. A Python string for each row would take longer.
        _, offsets, texts = values.buffers()
        ends = np.frombuffer(offsets or b"\0" * 4, np.int32, len(values) + 1, 4 * values.offset)
        checksum = _checksum_of_numbers(np.diff(ends), checksum)
        values = np.frombuffer(texts or b"", np.uint8)[ends[0] : ends[-1]]
        return _checksum_of_numbers(values, checksum)
    return _checksum_of_numbers(numbers_of(values), checksum)


def _checksum_of_numbers(numbers: NDArray[Any], checksum: int) -> int:
    little_endian = np.ascontiguousarray(numbers, numbers.dtype.newbyteorder("<"))
    return zlib.crc32(little_endian.data, zlib.crc32(little_endian.dtype.str.encode(), checksum))
