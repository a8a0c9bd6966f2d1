"""What a command tells of the run that failed."""

import dagster as dg

from mfcc_assets.defs.failed_run import reasons_of
from mfcc_assets.errors import CorruptIndex
from mfcc_assets_tests.runs import QUIET


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
def read_the_index() -> None:
    damage = CorruptIndex("a part is damaged", subject="Index 12ab", remedy="Publish another one")
    raise RuntimeError("something around it") from damage


@dg.op
def divide() -> float:
    return 1 / 0


@dg.job
def failing_job() -> None:
    read_the_index()
    divide()


def test_each_failed_step_is_told_with_its_cause_and_the_remedy(instance: dg.DagsterInstance) -> None:
    run = failing_job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)

    assert sorted(reasons_of(instance, run.run_id)) == [
        "divide: ZeroDivisionError: division by zero",
        "read_the_index: Index 12ab: a part is damaged. Publish another one.",
    ]


@dg.asset
def figures() -> None:
    pass


@dg.asset_check(asset=figures, blocking=True)
def they_hold() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="the precision is 0.1, and the margin is 0.05")


@dg.asset_check(asset=figures, blocking=True)
def they_are_complete() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, metadata={"missing": 3, "unknown": 0})


@dg.asset_check(asset=figures)
def they_are_beautiful() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False, description="they are not")


def test_what_a_check_found_that_stopped_the_run_is_told(instance: dg.DagsterInstance) -> None:
    checks = [they_hold, they_are_complete, they_are_beautiful]
    run = dg.materialize([figures, *checks], instance=instance, run_config=QUIET, raise_on_error=False)

    assert sorted(reasons_of(instance, run.run_id)) == [
        "figures_they_are_complete: the check they_are_complete did not pass (missing: 3, unknown: 0)",
        "figures_they_hold: the check they_hold did not pass (the precision is 0.1, and the margin is 0.05)",
    ]


def test_of_a_run_that_never_began_nothing_is_told(instance: dg.DagsterInstance) -> None:
    assert reasons_of(instance, "2f7c1a10-0000-4000-8000-000000000000") == []
