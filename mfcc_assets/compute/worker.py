"""What every engine does with some items, in a thread of this machine or in a process of an executor."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TypeAlias

import pyarrow as pa
from threadpoolctl import threadpool_limits

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import ERROR, MOST_FAILED, RESULT, Work
from mfcc_assets.errors import MfccError, WorkFailed

Function: TypeAlias = Callable[[Context, str, pa.RecordBatch], pa.RecordBatch]


def function_named(name: str) -> Function:
    """Import the function that a work names.

    Examples
    --------
    >>> function_named("math:ceil").__name__
    'ceil'
    """
    module, _, function = name.partition(":")
    found: Function = getattr(import_module(module), function)
    return found


def slices_of(items: pa.RecordBatch, at_once: int) -> Iterator[pa.RecordBatch]:
    """Yield consecutive slices of items."""
    return (items.slice(first, at_once) for first in range(0, items.num_rows, at_once))


def results_of(context: Context, work: Work, items: pa.RecordBatch) -> pa.RecordBatch:
    """Return the results of some items, at most `at_once` of the work.

    If the function fails, it gets the items one by one, so that only the item that it cannot deal with has an error.
    """
    began = time.perf_counter()
    try:
        found = function_named(work.function)(context, work.version, items)
        if found.num_rows != items.num_rows or found.schema != work.columns:
            raise TypeError(f"{work.function} returned {found.num_rows} rows of {found.schema.names}")  # noqa: TRY301
    except Exception as error:  # noqa: BLE001  an item that fails must not take others with it
        if items.num_rows > 1:
            return pa.concat_batches(_one_by_one(context, work, items))
        return _failed(work, items, error, _milliseconds(began))
    count = items.num_rows
    of_all = {
        "key": items["key"],
        "shard": items["shard"],
        "error_code": pa.nulls(count, pa.string()),
        "error": pa.nulls(count, ERROR),
        "milliseconds": pa.array([_milliseconds(began) / count] * count, pa.float64()),
    }
    return pa.record_batch([*of_all.values(), *found.columns], schema=work.result)


def results_on_one_core(context: Context, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the results of batches of items. Libraries for matrices and for search get no threads of their own.

    An executor has a process for each of its cores. If each process had threads for all cores, they would hinder each
    other.
    """
    # The limit holds for what is loaded, and the work loads these libraries when it is imported.
    function_named(work.function)
    with threadpool_limits(1):
        for batch in batches:
            for some in slices_of(batch, work.at_once):
                yield results_of(context, work, some)


def _one_by_one(context: Context, work: Work, items: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield the result of each item. After `MOST_FAILED` errors one after the other, all others get the last of them.

    Then the fault does not lie in the items, and each of many attempts may take long.
    """
    failed, last = 0, None
    for one in slices_of(items, 1):
        if failed >= MOST_FAILED and last is not None:
            columns = {name: last[name] for name in last.schema.names} | {name: one[name] for name in ("key", "shard")}
            yield pa.record_batch(list(columns.values()), schema=work.result)
            continue
        last = results_of(context, work, one)
        failed = 0 if last["error_code"][0].as_py() is None else failed + 1
        yield last


def _failed(work: Work, item: pa.RecordBatch, error: Exception, milliseconds: float) -> pa.RecordBatch:
    key = item["key"][0].as_py()
    trace = ""
    if not isinstance(error, MfccError):
        trace = "".join(traceback.format_exception(error))
        told = f"{type(error).__name__}: {error}".rstrip(": ")
        of_system = "Check the disk and its permissions, and run it again"
        remedy = of_system if isinstance(error, OSError) else "Report this with the log"
        error = WorkFailed(f"its work failed ({told})", subject=key, remedy=remedy)
    error_row = {"what": error.what, "subject": error.subject, "remedy": error.remedy, "traceback": trace}
    encoded = {name: text.encode(errors="backslashreplace").decode() for name, text in error_row.items()}
    of_all = [key, item["shard"][0].as_py(), type(error).__name__, encoded, milliseconds]
    columns = [pa.array([value], field.type) for value, field in zip(of_all, RESULT, strict=True)]
    return pa.record_batch([*columns, *(pa.nulls(1, field.type) for field in work.columns)], schema=work.result)


def _milliseconds(began: float) -> float:
    return (time.perf_counter() - began) * 1_000
