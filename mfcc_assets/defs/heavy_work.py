"""Assets whose heavy work an engine does. The engine of Databricks needs the step, which belongs to Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from mfcc_assets.compute.chosen import jobs_started_by
from mfcc_assets.extras import needs_extra
from mfcc_assets.library import Library


@contextmanager
def heavy_work(context: dg.AssetExecutionContext, library: Library) -> Iterator[None]:
    """Let the heavy work of an asset within the ``with`` run on Databricks, if the settings say so.

    Whatever ends the step, a job that still runs is cancelled. A step that is interrupted is not tried again.
    """
    if library.settings.compute != "databricks":
        yield
        return
    with needs_extra("databricks", "Work on Databricks"):
        from mfcc_assets.defs.databricks import JobsOfStep

    started = JobsOfStep(context, library)
    try:
        with jobs_started_by(started.start):
            yield
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as interruption:
        # Dagster tries an interrupted step again, as it does with one that failed. That would start another cluster.
        raise dg.Failure("The step was interrupted.", allow_retries=False) from interruption
    finally:
        started.cancel()
