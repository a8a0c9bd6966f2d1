"""The executor of all runs: one process for all steps, and one run over the library at a time.

Dagster's queue lets one run of a pool start at a time: see `concurrency` in dagster.yaml. Runs that a command executes
in its own process, such as `dg launch`, `dagster asset materialize` and `mfcc add`, do not pass through the queue. So
each run over the library also waits here for a lock file. Pools that count steps would not be enough: the steps of two
runs would alternate, and a check would compare the index of one run with the tracks of the other.

Dagster's in-process executor, its plans and its interrupts are private.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg
from dagster._core.errors import raise_execution_interrupts
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor

from mfcc_assets.defs.run_locks import living, only_run_over_library
from mfcc_assets.settings import Settings

LIBRARY_POOL = "library"
"""Pool of all steps that change the library. The file dagster.yaml gives it one place."""


class OneLibraryRun(InProcessExecutor):
    """Executes all steps in this process. If one is in the pool of the library, it waits for other such runs first."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        # The folder of the settings, because a command without DAGSTER_HOME works on the same library.
        home, run_id = Settings().dagster_home, plan_context.run_id

        def tell(other: str) -> None:
            plan_context.log.info(f"This run waits until run {other}, which works on the library, has ended.")

        with ExitStack() as locks:
            locks.enter_context(living(home, run_id))
            if any(step.pool == LIBRARY_POOL for step in execution_plan.get_steps_to_execute_in_topo_order()):
                # Otherwise the queue first hears of the pool's limit after it has let two runs start.
                plan_context.instance.event_log_storage.initialize_concurrency_limit_to_default(LIBRARY_POOL)
                with raise_execution_interrupts():
                    locks.enter_context(only_run_over_library(home, run_id, on_wait=tell))
            yield from super().execute(plan_context, execution_plan)


@dg.executor(name="in_process")
def one_library_run(_: dg.InitExecutorContext) -> OneLibraryRun:
    """All steps in one process, as dagster.in_process_executor, and one run over the library at a time."""
    return OneLibraryRun(RetryMode.ENABLED)
