"""The engine that the settings choose."""

from importlib import import_module

from mfcc_assets.compute.context import Context
from mfcc_assets.compute.port import Compute
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.extras import needs_extra


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
    if settings.compute == "local":
        return Compute(ThreadsEngine(context))
    with needs_extra("spark", "Work on Spark"):
        # Spark does not import it before it runs a job, and another package may have brought Spark without it.
        import_module("pandas")
        from mfcc_assets.compute.spark import SparkEngine

    return Compute(SparkEngine(settings))
