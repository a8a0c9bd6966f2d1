"""The engine that the settings choose."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.databricks import DatabricksEngine, Start
from mfcc_assets.compute.port import Compute
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.extras import needs_extra

_start: ContextVar[Start | None] = ContextVar("start", default=None)


@contextmanager
def jobs_started_by(start: Start) -> Iterator[None]:
    """Let work on Databricks be started by a function within the ``with``.

    Only a step of Dagster can start a job there. Elsewhere, as in a command that repairs one shard, this machine works.
    """
    token = _start.set(start)
    try:
        yield
    finally:
        _start.reset(token)


def compute_of(context: Context) -> Compute:
    """Return what does the heavy work of a library, as its settings say.

    Parameters
    ----------
    context
        Context of this process. The engine of this machine shares it. Executors open their own.

    Raises
    ------
    SettingsError
        If the settings choose an engine whose extra is not installed.
    """
    settings = context.settings
    if settings.compute == "databricks":
        here, start = ThreadsEngine(context), _start.get()
        if start is None:
            return Compute(here)
        return Compute(DatabricksEngine(context.blobs, start, here, settings.databricks_min_items))
    if settings.compute == "local":
        return Compute(ThreadsEngine(context))
    with needs_extra("spark", "Work on Spark"):
        # Spark does not import it before it runs a job, and another package may have brought Spark without it.
        import_module("pandas")
        from mfcc_assets.compute.spark import SparkEngine

    return Compute(SparkEngine(settings))
