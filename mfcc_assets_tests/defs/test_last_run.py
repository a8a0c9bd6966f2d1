"""What is told of the last run over the library."""

import platform

import dagster as dg

from mfcc_assets.defs.last_run import last_library_run
from mfcc_assets.defs.launch import HOST_TAG, LIBRARY_JOB
from mfcc_assets.defs.launch import last_library_run as told_last_run
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import QUIET, create_run


@dg.op
def work() -> None:
    pass


@dg.job(name=LIBRARY_JOB)
def library_job() -> None:
    work()


def test_before_the_first_run_nothing_is_told(instance: dg.DagsterInstance, settings: Settings) -> None:
    assert last_library_run(instance) is None
    assert told_last_run(settings) is None


def test_the_last_run_over_the_library_is_told_with_its_outcome(instance: dg.DagsterInstance) -> None:
    library_job.execute_in_process(instance=instance, run_config=QUIET)
    create_run(instance, "uploads", dg.DagsterRunStatus.FAILURE, {})

    told = last_library_run(instance)

    assert told is not None
    assert told["outcome"] == "succeeded"
    assert isinstance(told["seconds"], float)

    running = create_run(instance, "__ASSET_JOB", dg.DagsterRunStatus.STARTED, {})
    told = last_library_run(instance)
    assert told is not None
    assert (told["run_id"], told["outcome"], told["seconds"]) == (running.run_id, "has not ended", None)


def test_a_run_of_a_command_whose_process_is_gone_was_killed(instance: dg.DagsterInstance) -> None:
    create_run(instance, LIBRARY_JOB, dg.DagsterRunStatus.STARTED, {HOST_TAG: platform.node()})
    told = last_library_run(instance)
    assert told is not None
    assert told["outcome"] == "was killed"
