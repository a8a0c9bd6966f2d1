"""Heavy work of an asset. What it does on Databricks is in test_databricks."""

import os
import signal
import subprocess
import sys
import time

import dagster as dg
import pytest

from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.defs.heavy_work import heavy_work
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings


def test_heavy_work_is_done_by_this_machine_by_default(library: Library, instance: dg.DagsterInstance) -> None:
    engines = list[object]()

    @dg.asset
    def heavy(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> None:
        with heavy_work(context, library):
            engines.append(compute_of(Context(library))._engine)  # noqa: SLF001  nothing else tells

    result = dg.materialize([heavy], instance=instance, resources={"library": library})

    assert result.success
    assert isinstance(engines[0], ThreadsEngine)


@pytest.mark.parametrize("compute", ["local", "spark"])
def test_a_step_that_is_interrupted_fails_and_is_not_tried_again(
    compute: str, settings: Settings, instance: dg.DagsterInstance
) -> None:
    tries = list[int]()

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=2))
    def heavy(context: dg.AssetExecutionContext, library: dg.ResourceParam[Library]) -> None:
        with heavy_work(context, library):
            tries.append(context.retry_number)
            if not context.retry_number:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(60)

    with Library(settings.model_copy(update={"compute": compute})) as chosen:
        result = dg.materialize([heavy], instance=instance, resources={"library": chosen}, raise_on_error=False)

    assert (tries, result.success) == ([0], False)
    assert instance.get_latest_materialization_event(heavy.key) is None


def test_databricks_without_its_extra_is_an_error_that_names_it() -> None:
    code = """
import sys
sys.modules["dagster_databricks"] = None  # importing it now fails, as if it were not installed
from types import SimpleNamespace
from mfcc_assets.defs.heavy_work import heavy_work
heavy_work(None, SimpleNamespace(settings=SimpleNamespace(compute="databricks"))).__enter__()
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert "the module dagster_databricks is not installed. Run: pip install 'mfcc-assets[databricks]'" in ran.stderr
