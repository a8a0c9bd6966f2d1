"""The engine of Spark: executors import the function of the work, and open the stores of the library themselves.

Spark only schedules. A job has a few bins of items, and several jobs run at once. So results come back while others are
computed, the driver never has all of them in memory, and a lost executor costs no more than its bins. Executors have no
database: the stage that planned the work stores its results.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from math import ceil
from threading import Event
from uuid import uuid4

import numpy as np
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, PythonException
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from mfcc_assets.compute.context import opened_context
from mfcc_assets.compute.equal_bins import equal_bins
from mfcc_assets.compute.local import on_threads
from mfcc_assets.compute.port import Progress, Work
from mfcc_assets.compute.spark_session import slots_of, started_session
from mfcc_assets.compute.worker import results_of, slices_of
from mfcc_assets.errors import ComputeFailed
from mfcc_assets.settings import Settings

STARTING = "Starting Spark"

_BINS_A_SLOT = 4
"""Number of bins for each slot. With more of them, the slots end at about the same time, but each costs some time."""

_JOBS_AT_ONCE = 4
"""Number of jobs that run at once. Together they have two bins for each slot."""

_BIN = "bin"


class SparkEngine:
    """Does work on the executors of Spark.

    Parameters
    ----------
    settings
        Settings of the library, with the master of Spark.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def results(
        self, work: Work, parts: Iterator[pa.Table], on_progress: Callable[[Progress], None]
    ) -> Iterator[pa.RecordBatch]:
        on_progress(Progress(STARTING))
        with _faults_told(self._settings.spark_master):
            session = started_session(self._settings)
            slots = slots_of(session, self._settings.spark_master)
        on_progress(Progress())
        tag, stopped = f"mfcc-{uuid4().hex}", Event()

        def stop() -> None:
            stopped.set()
            # If Spark has ended, there is nothing to interrupt, and another error says why.
            with suppress(PySparkException, Py4JError, OSError):
                session.interruptTag(tag)

        def computed(job: pa.Table) -> pa.Table:
            if stopped.is_set():
                return work.result.empty_table()
            session.addTag(tag)
            try:
                return _computed(session, work, job)
            except BaseException:
                stop()
                raise

        jobs = chain.from_iterable(_jobs(items, slots) for items in parts)
        running = on_threads(computed, jobs, _JOBS_AT_ONCE)
        try:
            with _faults_told(self._settings.spark_master):
                for _, found in running:
                    yield from found.to_batches()
        finally:
            # The threads of the jobs end only when Spark has given these up.
            stop()
            running.close()


def _jobs(items: pa.Table, slots: int) -> Iterator[pa.Table]:
    """Yield the items of each job, with the number of their bin."""
    # Spark loses all rows that follow an empty chunk of a table.
    items = items.combine_chunks()
    bins = equal_bins(items["cost"].to_numpy(), _BINS_A_SLOT * slots)
    bins_of_job = ceil(2 * slots / _JOBS_AT_ONCE)
    for first in range(0, len(bins), bins_of_job):
        of_job = bins[first : first + bins_of_job]
        numbers = np.repeat(np.arange(len(of_job)), [each.stop - each.start for each in of_job])
        yield items.slice(of_job[0].start, len(numbers)).append_column(_BIN, pa.array(numbers))


def _computed(session: SparkSession, work: Work, job: pa.Table) -> pa.Table:
    def apply(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return _applied(work, batches)

    frame = session.createDataFrame(job).repartitionByRange(job[_BIN][-1].as_py() + 1, _BIN)
    return frame.mapInArrow(apply, from_arrow_schema(work.result)).toArrow().cast(work.result)


def _applied(work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Do the work in a process of an executor, on one core."""
    context = opened_context(work.settings)
    for batch in batches:
        for some in slices_of(batch.drop_columns([_BIN]), work.at_once):
            yield results_of(context, work, some)


@contextmanager
def _faults_told(master: str) -> Iterator[None]:
    """Turn an error of Spark into one with advice."""
    try:
        yield
    except (PySparkException, Py4JError, OSError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        # An error of Python on an executor ends with its cause, and one of Spark begins with it.
        told = lines[-1] if isinstance(error, PythonException) else lines[0]
        raise ComputeFailed(
            f"Spark failed ({told})",
            # What follows in the address of a server may be a secret.
            subject=master.partition(";")[0] or "the cluster",
            remedy="Look into the log of Spark. What is computed is kept, so the next run goes on from there",
        ) from error
