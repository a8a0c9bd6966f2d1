"""Assets whose heavy work an engine does. The engine of Databricks needs the step, which belongs to Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from mfcc_assets.compute.chosen import jobs_started_by
from mfcc_assets.extras import needs_extra
from mfcc_assets.library import Library


@contextmanager
def heavy_work(context: dg.AssetExecutionContext, library: Library) -> Iterator[None]:
    """Let the engine that the settings choose do the heavy work of an asset within the ``with``.

    A step that is interrupted is not tried again. Whatever ends the step, a job on Databricks is cancelled if it still
    runs.
    """
    try:
        with _jobs_of_step(context, library):
            yield
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as interruption:
        # Dagster tries an interrupted step again, as it does with one that failed. But whoever interrupted it wants it
        # to end, and another cluster would cost money.
        raise dg.Failure("The step was interrupted.", allow_retries=False) from interruption


@contextmanager
def _jobs_of_step(context: dg.AssetExecutionContext, library: Library) -> Iterator[None]:
    if library.settings.compute != "databricks":
        yield
        return
    with needs_extra("databricks", "Work on Databricks"):
        from mfcc_assets.defs.databricks import JobsOfStep

    started = JobsOfStep(context, library)
    try:
        with jobs_started_by(started.start):
            yield
    finally:
        started.cancel()
