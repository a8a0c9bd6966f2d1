"""Functions that engines apply to numbers in tests. Executors import them by name."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from threadpoolctl import threadpool_info

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.local import WORKERS
from mfcc_assets.compute.port import ITEM, Work
from mfcc_assets.errors import SilentAudio
from mfcc_assets.for_each import in_turn

NUMBERS = pa.schema([*ITEM, ("number", pa.int64()), ("folder", pa.string())])
HALVES = pa.schema([("half", pa.float64()), ("parts", pa.list_(pa.int64())), ("process", pa.int64())])

SILENT, POISONED, FATAL = 100, 200, 300
"""Numbers that are no usable audio, that raise an unexpected error, and that kill their executor once."""


def work_named(function: str, settings: dict[str, str], at_once: int = 1) -> Work:
    """Return work by a function of this module."""
    return Work(f"{__name__}:{function}", settings, "1", HALVES, at_once)


def numbers(every: Sequence[int], folder: Path | str = "") -> pa.Table:
    """Return one item for each number. Its key is the number with leading zeros."""
    columns = {
        "key": [f"{number:04}" for number in every],
        "shard": [str(number % 4) for number in every],
        "cost": [1.0] * len(every),
        "number": list(every),
        "folder": [str(folder)] * len(every),
    }
    return pa.table(columns, schema=NUMBERS)


def halve(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Halve each number."""
    assert version == "1"
    assert context.limits.min_seconds == 2.5
    rows = []
    for row in items.to_pylist():
        number = row["number"]
        if number == SILENT:
            raise SilentAudio("it is silent", subject="a \udce9 name", remedy="Turn it up")
        if number == POISONED:
            raise ValueError("it is poisoned")
        if number == FATAL:
            _kill_engine_once(Path(row["folder"]))
        rows.append({"half": number / 2, "parts": [number, -number], "process": os.getpid()})
    return pa.RecordBatch.from_pylist(rows, HALVES)


def lose_a_row(_context: Context, _version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Break the promise of a function: return no row."""
    return pa.RecordBatch.from_pylist([], HALVES) if items.num_rows else items


def tell_cores(context: Context, _version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Return, as the half of each number, how many threads the work on it may use."""
    threads = 1 if context.for_each is in_turn else getattr(context.for_each, "keywords", {}).get("threads", WORKERS)
    half = float(threads)
    rows = [{"half": half, "parts": [], "process": os.getpid()} for _ in range(items.num_rows)]
    return pa.RecordBatch.from_pylist(rows, HALVES)


def tell_cache(context: Context, _version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Return, as the half of each number, the gigabytes of blobs that may be kept on the disk."""
    half = context.settings.cache_gigabytes
    rows = [{"half": half, "parts": [], "process": os.getpid()} for _ in range(items.num_rows)]
    return pa.RecordBatch.from_pylist(rows, HALVES)


def tell_threads(_context: Context, _version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Return, as the half of each number, the largest number of threads of a library for matrices or for search."""
    threads = max(pool["num_threads"] for pool in threadpool_info())
    rows = [{"half": float(threads), "parts": [], "process": os.getpid()} for _ in range(items.num_rows)]
    return pa.RecordBatch.from_pylist(rows, HALVES)


def tell_task(_context: Context, _version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Return the stage and the partition of the task of Spark that has these items, and how many they are."""
    from pyspark import TaskContext

    task = TaskContext.get()
    assert task is not None
    parts = [task.stageId(), task.partitionId(), items.num_rows]
    rows = [{"half": 0.0, "parts": parts, "process": os.getpid()} for _ in range(items.num_rows)]
    return pa.RecordBatch.from_pylist(rows, HALVES)


def write_name(_context: Context, _version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Write a file for each number, and fail on the poisoned one."""
    rows = []
    for row in items.to_pylist():
        if row["number"] == POISONED:
            raise ValueError("it is poisoned")
        (Path(row["folder"]) / row["key"]).write_text(row["key"])
        rows.append({"half": 0.0, "parts": [], "process": os.getpid()})
    return pa.RecordBatch.from_pylist(rows, HALVES)


def write_slowly(context: Context, version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Write a file for each number, which takes a while."""
    time.sleep(0.02 * items.num_rows)
    return write_name(context, version, items)


def halve_after_the_fault(_context: Context, _version: str, items: pa.RecordBatch) -> pa.RecordBatch:
    """Halve numbers. A fatal one waits until a test has made its fault, and left a file about it."""
    for row in items.to_pylist():
        while row["number"] == FATAL and not (Path(row["folder"]) / "fault").exists():
            time.sleep(0.05)
    rows = [{"half": row["number"] / 2, "parts": [], "process": os.getpid()} for row in items.to_pylist()]
    return pa.RecordBatch.from_pylist(rows, HALVES)


def _kill_engine_once(folder: Path) -> None:
    """Kill the Java process of this executor, unless that was done before."""
    mark = folder / "killed"
    if mark.exists():
        return
    mark.touch()
    process = os.getpid()
    while Path(f"/proc/{process}/comm").read_text().strip() != "java":
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(process, signal.SIGKILL)
