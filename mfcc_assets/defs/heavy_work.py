"""Assets whose heavy work an engine does. The engine of Databricks needs the step, which belongs to Dagster."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TypeAlias

import dagster as dg

from mfcc_assets.compute.chosen import jobs_started_by
from mfcc_assets.extras import needs_extra
from mfcc_assets.library import Library

_Body: TypeAlias = Callable[[dg.AssetExecutionContext, Library], dg.MaterializeResult]


def heavy_work(body: _Body) -> _Body:
    """Let the heavy work of an asset run on Databricks, if the settings say so.

    Whatever ends the step, a job that still runs is cancelled. A step that is interrupted is not tried again.
    """

    @wraps(body)
    def with_jobs(context: dg.AssetExecutionContext, library: Library) -> dg.MaterializeResult:
        with _jobs_of_step(context, library):
            return body(context, library)

    return with_jobs


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
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as interruption:
        # Dagster tries an interrupted step again, as it does with one that failed. That would start another cluster.
        raise dg.Failure("The step was interrupted.", allow_retries=False) from interruption
    finally:
        started.cancel()
