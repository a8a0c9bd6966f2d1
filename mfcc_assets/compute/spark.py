"""The engine of Spark: executors import the function of the work, and open the stores of the library themselves.

Spark only schedules. A job has a few bins of items, and several jobs run at once. So results come back while others are
computed, the driver never has all of them in memory, and a lost executor costs no more than its bins. Executors have no
database: the stage that planned the work stores its results.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from threading import Event
from uuid import uuid4

import pyarrow as pa
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException, PythonException
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from mfcc_assets.compute.context import opened_context
from mfcc_assets.compute.equal_bins import BIN, JOBS_AT_ONCE, jobs_of
from mfcc_assets.compute.local import on_threads
from mfcc_assets.compute.port import Activity, Work
from mfcc_assets.compute.spark_session import slots_of, started_session
from mfcc_assets.compute.worker import results_on_one_core
from mfcc_assets.errors import ComputeFailed
from mfcc_assets.settings import Settings

STARTING = "Starting Spark"


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
        self, work: Work, parts: Iterator[pa.Table], on_activity: Callable[[Activity], None]
    ) -> Iterator[pa.RecordBatch]:
        on_activity(Activity(STARTING))
        with _faults_told(self._settings.spark_master):
            session = started_session(self._settings)
            slots = slots_of(session, self._settings.spark_master)
        on_activity(Activity())
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

        jobs = chain.from_iterable(jobs_of(items, slots) for items in parts)
        running = on_threads(computed, jobs, JOBS_AT_ONCE)
        try:
            with _faults_told(self._settings.spark_master):
                for _, found in running:
                    yield from found.to_batches()
        finally:
            # The threads of the jobs end only when Spark has given these up.
            stop()
            running.close()


def _computed(session: SparkSession, work: Work, job: pa.Table) -> pa.Table:
    def apply(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return _applied(work, batches)

    # Each bin is a partition. Ranges would have about equal counts of items, and so join the bins with few of them.
    frame = session.createDataFrame(job).repartitionById(job[BIN][-1].as_py() + 1, BIN)
    return frame.mapInArrow(apply, from_arrow_schema(work.result)).toArrow().cast(work.result)


def _applied(work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Do the work in a process of an executor."""
    context = opened_context(work.settings)
    return results_on_one_core(context, work, (batch.drop_columns([BIN]) for batch in batches))


@contextmanager
def _faults_told(master: str) -> Iterator[None]:
    """Turn an error of Spark into one with advice."""
    try:
        yield
    except (PySparkException, Py4JError, OSError) as error:
        raise ComputeFailed(
            f"Spark failed ({_cause_of(error)})",
            # What follows in the address of a server may be a secret.
            subject=master.partition(";")[0] or "the cluster",
            remedy="Look into the log of Spark. What is computed is kept, so the next run goes on from there",
        ) from error


def _cause_of(error: Exception) -> str:
    """Return the line that tells the cause of an error of Spark."""
    if isinstance(error, ConnectionError | Py4JNetworkError):
        return "it has ended, perhaps because the memory was full"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if isinstance(error, PythonException):
        return lines[-1]
    if isinstance(error, Py4JJavaError):
        # The first line names only the method that was called.
        causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
        return causes[-1] if causes else str(error.java_exception)
    return lines[0]
