"""Run the library's job for a command: ``python -m mfcc_assets.defs.private.command_run RUN_ID COMMAND``.

The command ``dagster job execute`` does the same, but its runs belong to no code location, so the timeline of the
Dagster UI leaves them out. The origin of a run, by which Dagster finds its location, and the function that executes a
run with an id that is known before are private.
"""

import platform
import sys
from pathlib import Path

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from mfcc_assets.defs.launch import HOST_TAG, IN_STAGES, LIBRARY_JOB, MODULE, range_tags
from mfcc_assets.ids import shard_names
from mfcc_assets.settings import Settings

LAUNCHED_BY_TAG = "user"
"""Tag whose value the UI shows as what launched a run."""

_NOT_REPEATED = {"dagster/max_retries": "0"}
"""The daemon does not repeat a run of a command. The sensor of the library requests what it leaves undone."""


def run_library_job(instance: dg.DagsterInstance, run_id: str, command: str, shards: tuple[str, ...]) -> bool:
    """Run the library's job over the next stage of all shards, and return whether it succeeded.

    Parameters
    ----------
    instance
        Dagster's instance.
    run_id
        Id of the run.
    command
        The command that launches the run, such as ``mfcc add``.
    shards
        Names of all shards.
    """
    repository = ReconstructableRepository.for_module(MODULE, "defs", str(Path.cwd()))
    loaded = repository.get_definition()
    job = repository.with_repository_load_data(loaded.repository_load_data).get_reconstructable_job(LIBRARY_JOB)
    definition = job.get_definition()
    tags = {
        **definition.run_tags,
        **range_tags(shards[0], shards[-1]),
        **IN_STAGES,
        **_NOT_REPEATED,
        LAUNCHED_BY_TAG: command,
        HOST_TAG: platform.node(),
    }
    run = instance.create_run_for_job(
        definition,
        run_id=run_id,
        tags=tags,
        job_code_origin=job.get_python_origin(),
        remote_job_origin=_origin_in_location(loaded.name),
        repository_load_data=loaded.repository_load_data,
    )
    return execute_run(job, run, instance).success


def _origin_in_location(repository: str) -> RemoteJobOrigin:
    """Return the origin that this job has in the code location of `workspace.yaml`."""
    target = LoadableTargetOrigin(module_name=MODULE, working_directory=str(Path.cwd()))
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, repository), LIBRARY_JOB)


if __name__ == "__main__":
    with dg.DagsterInstance.get() as _instance:
        _shards = tuple(shard_names(Settings().shard_digits))
        sys.exit(not run_library_job(_instance, sys.argv[1], sys.argv[2], _shards))
