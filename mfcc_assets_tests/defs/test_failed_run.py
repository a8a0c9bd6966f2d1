"""What a command tells of the run that failed."""

import dagster as dg

from mfcc_assets.defs.failed_run import reasons_of
from mfcc_assets.defs.launch import LOCK_TAG
from mfcc_assets.errors import CorruptIndex
from mfcc_assets_tests.runs import QUIET

LOCK = "/a/lock"


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
def read_the_index() -> None:
    damage = CorruptIndex("a part is damaged", subject="Index 12ab", remedy="Publish another one")
    raise RuntimeError("something around it") from damage


@dg.op
def divide() -> float:
    return 1 / 0


@dg.job(tags={LOCK_TAG: LOCK})
def failing_job() -> None:
    read_the_index()
    divide()


def test_each_failed_step_is_told_with_its_cause_and_the_remedy(instance: dg.DagsterInstance) -> None:
    failing_job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)

    assert sorted(reasons_of(instance, LOCK)) == [
        "divide: ZeroDivisionError: division by zero",
        "read_the_index: Index 12ab: a part is damaged. Publish another one.",
    ]


def test_of_a_run_that_never_began_nothing_is_told(instance: dg.DagsterInstance) -> None:
    assert reasons_of(instance, LOCK) == []
