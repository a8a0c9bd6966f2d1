"""Heavy work on Azure Databricks: a step starts a job there by Dagster Pipes, and waits for it.

The step submits a one-time run with the task and the cluster of the job that `databricks bundle` deployed. It cancels
the run if it is interrupted or fails itself, so that no cluster is left running.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
from azure.core.exceptions import AzureError
from azure.storage.blob import BlobServiceClient
from dagster_azure.pipes import PipesAzureBlobStorageContextInjector, PipesAzureBlobStorageMessageReader
from dagster_databricks import PipesDatabricksClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config, CredentialsStrategy
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service import jobs

from mfcc_assets.compute.databricks_job import FAILURE, FOLDER, PIPES_CONTAINER, PROGRESS
from mfcc_assets.errors import ComputeFailed, SettingsError
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets.storage.secrets.azure_identity import process_identity

SECONDS_BETWEEN_QUESTIONS = 5.0
"""Time between two questions about the state of a run, and between two looks for messages."""

_SCOPE = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"
"""The resource Azure Databricks, which is the same in all tenants."""

_PARAMETERS_OF_PIPES = "--dagster-pipes-"
_SECONDS_TO_CANCEL = 120.0
_LAST_STATES = (
    jobs.RunLifeCycleState.TERMINATED,
    jobs.RunLifeCycleState.SKIPPED,
    jobs.RunLifeCycleState.INTERNAL_ERROR,
)
_DEPLOY = "Deploy the bundle in deploy/databricks, and set MFCC_DATABRICKS_JOB to the number of its job"
_GO_ON = "What is computed is kept, so the next run goes on from there"


class JobsOfStep:
    """Starts the jobs of one step.

    Parameters
    ----------
    context
        Context of the step.
    library
        The library, whose settings name the workspace and the job.
    """

    def __init__(self, context: dg.AssetExecutionContext, library: Library) -> None:
        self._context, self._library = context, library
        self._started: list[JobOfStep] = []
        self._items_by_shard = Counter[str]()

    def start(self, folder: str) -> "JobOfStep":
        """Start a job on the work in a folder of the container `cepstra`.

        Raises
        ------
        ComputeFailed
            If Databricks cannot be asked.
        SettingsError
            If the settings name a job without the task and the cluster that the bundle defines.
        """
        assert isinstance(self._library.blobs, AzureBlobs)
        with _faults_told(f"workspace {self._library.settings.databricks_url}"):
            workspace = workspace_of(self._library)
            task = _task_of(_job(workspace, self._library.settings.databricks_job))
        number = len(self._started)
        client = self._library.blobs.client_with(PIPES_CONTAINER)
        token = _token(self._context, number)
        job = JobOfStep(self._context, workspace, client, task, folder, token, self._items_by_shard)
        self._started.append(job)
        return job

    def cancel(self) -> None:
        """End all jobs that still run."""
        for job in self._started:
            job.cancel()


def workspace_of(library: Library) -> WorkspaceClient:
    """Return a client of the workspace that the settings name, with a token or with the identity of this process."""
    settings = library.settings
    if settings.databricks_token_secret:
        token = library.secrets.get(settings.databricks_token_secret)
        return WorkspaceClient(host=settings.databricks_url, token=token, auth_type="pat")
    return WorkspaceClient(host=settings.databricks_url, credentials_strategy=_IdentityOfProcess())


class JobOfStep:
    """A job that was started. A thread of this process waits for it, because the step stores results meanwhile."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        workspace: WorkspaceClient,
        blobs: BlobServiceClient,
        task: jobs.SubmitTask,
        folder: str,
        token: str,
        items_by_shard: Counter[str],
    ) -> None:
        self._context, self._submitted = context, _SubmittedRun(workspace)
        self._items_by_shard = items_by_shard
        self._ended, self._began = Event(), Event()
        self._error: Exception | None = None
        self._told: dict[str, Any] = {}
        client = PipesDatabricksClient(
            cast("WorkspaceClient", SimpleNamespace(jobs=self._submitted)),
            context_injector=PipesAzureBlobStorageContextInjector(container=PIPES_CONTAINER, client=blobs),
            message_reader=_Messages(self._hear, PIPES_CONTAINER, blobs),
            poll_interval_seconds=SECONDS_BETWEEN_QUESTIONS,
        )
        name = f"mfcc {context.asset_key.to_user_string()} {context.run.run_id}"
        options = {"idempotency_token": token, "run_name": name}

        def run() -> None:
            try:
                # Pipes would read deprecated attributes of an asset's context.
                client.run(
                    context=context.op_execution_context, task=task, extras={FOLDER: folder}, submit_args=options
                )
            except Exception as error:  # noqa: BLE001  the step raises it
                self._error = error
            finally:
                self._ended.set()

        Thread(target=run, name="databricks", daemon=True).start()

    @property
    def computes(self) -> bool:
        """Whether the job has told that it is at work."""
        return self._began.is_set()

    def has_ended(self, seconds: float) -> bool:
        """Wait for the end, at most so many seconds, and return whether the job has ended."""
        return self._ended.wait(seconds)

    def check(self) -> None:
        """Raise the cause if the job did not succeed. Otherwise show its figures at the partitions of the step.

        Raises
        ------
        ComputeFailed
            With the error that the job sent before it ended, or that Databricks knows.
        """
        if self._error is not None:
            raise self._cause(self._error) from self._error
        self._context.log.info(f"The work was done by {self._submitted.url}")
        if self._context.assets_def.partitions_def is None:
            return
        url = dg.MetadataValue.url(self._submitted.url)
        # A second job of the step adds to the figures of the first.
        done = self._told.get(PROGRESS, {}).get("shards", {})
        self._items_by_shard.update(done)
        for shard in done:
            figures = {"databricks_run": url, "items_on_databricks": self._items_by_shard[shard]}
            self._context.add_asset_metadata(figures, partition_key=shard)

    def cancel(self) -> None:
        """Cancel the run if it has not ended, and wait until it has."""
        if self._submitted.has_ended or (self._ended.is_set() and not self._submitted.run_id):
            return
        self._context.log.info("Cancelling the run on Databricks.")
        try:
            self._submitted.cancel()
        except Exception as error:  # noqa: BLE001  libraries for identities and requests raise many kinds
            # What ended the step matters more. The cluster ends with the job, or after its longest time.
            self._context.log.warning(f"The run could not be cancelled ({error}): {self._submitted.url}")
            return
        self._ended.wait(_SECONDS_TO_CANCEL)

    def _hear(self, message: Mapping[str, Any]) -> None:
        self._began.set()
        self._told.update(message)

    def _cause(self, error: Exception) -> ComputeFailed:
        subject = f"run {self._submitted.run_id} on Databricks" if self._submitted.run_id else "Databricks"
        told = self._told.get(FAILURE)
        if told:
            if told["traceback"]:
                self._context.log.error(told["traceback"])
            remedy = told["remedy"] or f"Look at {self._submitted.url}. {_GO_ON}"
            return ComputeFailed(f"the job failed ({told['what']})", subject=told["subject"] or subject, remedy=remedy)
        # A run that has not ended has no cause yet. Then it could not be asked any more.
        cause, trace = self._submitted.known_cause() if self._submitted.has_ended else ("", "")
        if trace:
            self._context.log.error(trace)
        remedy = f"Look at {self._submitted.url}. {_GO_ON}" if self._submitted.url else _GO_ON
        return ComputeFailed(f"the job failed ({cause or error})", subject=subject, remedy=remedy)


class _SubmittedRun:
    """The part of the API of jobs that the client of Pipes uses. It knows the run that was submitted."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._jobs, self._cancelled = workspace.jobs, Event()
        self.run_id = 0
        self.url = ""
        self.has_ended = False

    def submit(self, **options: Any) -> Any:
        submitted = self._jobs.submit(**options)
        self.run_id = submitted.bind()["run_id"]
        if self._cancelled.is_set():
            self._jobs.cancel_run(self.run_id)
        return submitted

    def get_run(self, run_id: int) -> jobs.Run:
        run = self._jobs.get_run(run_id)
        self.url = run.run_page_url or ""
        self.has_ended = run.state is not None and run.state.life_cycle_state in _LAST_STATES
        return run

    def cancel_run(self, run_id: int) -> None:
        self._jobs.cancel_run(run_id)

    def cancel(self) -> None:
        """Cancel the run, or have it cancelled as soon as it is submitted."""
        self._cancelled.set()
        if self.run_id:
            self._jobs.cancel_run(self.run_id)

    def known_cause(self) -> tuple[str, str]:
        """Return what Databricks knows of the cause of a failure, and the trace. Both may be empty."""
        with suppress(DatabricksError, OSError):
            for task in self._jobs.get_run(self.run_id).tasks or []:
                output = self._jobs.get_run_output(task.run_id or self.run_id)
                lines = [line for line in (output.logs or "").splitlines() if line.strip()]
                state = task.state.state_message if task.state else None
                return output.error or (lines[-1] if lines else "") or state or "", output.error_trace or ""
        return "", ""


class _Messages(PipesAzureBlobStorageMessageReader):
    """Reads the messages of a job, and passes custom ones on while the job runs. Pipes keeps those until the end."""

    def __init__(self, hear: Callable[[Mapping[str, Any]], None], container: str, client: BlobServiceClient) -> None:
        super().__init__(container=container, client=client, interval=SECONDS_BETWEEN_QUESTIONS)
        self._hear = hear

    def download_messages_chunk(self, index: int, params: Mapping[str, Any]) -> str | None:
        chunk = super().download_messages_chunk(index, params)
        for line in (chunk or "").splitlines():
            message = json.loads(line)
            if message["method"] == "report_custom_message":
                self._hear(message["params"]["payload"])
        return chunk


class _IdentityOfProcess(CredentialsStrategy):
    """Signs requests with the Azure identity of this process, as other adapters of Azure do."""

    def auth_type(self) -> str:
        return "azure-identity"

    def __call__(self, cfg: Config) -> Callable[[], dict[str, str]]:  # noqa: ARG002  it needs no configuration
        def headers() -> dict[str, str]:
            try:
                return {"Authorization": f"Bearer {process_identity().get_token(_SCOPE).token}"}
            except AzureError as error:
                raise ConnectionError(f"no token for Databricks ({error})") from error

        return headers


def _job(workspace: WorkspaceClient, number: int) -> jobs.Job:
    """Return the job that the settings name.

    Raises
    ------
    SettingsError
        If the workspace has no such job.
    """
    try:
        return workspace.jobs.get(number)
    except NotFound as error:
        raise SettingsError("the workspace does not have it", subject=_name_of(number), remedy=_DEPLOY) from error


def _name_of(number: int | None) -> str:
    return f"job {number} of Databricks"


def _task_of(job: jobs.Job) -> jobs.SubmitTask:
    """Return the task of the job of the bundle, with its cluster, as a one-time run has it."""
    settings = job.settings.as_dict() if job.settings else {}
    clusters = {each["job_cluster_key"]: each["new_cluster"] for each in settings.get("job_clusters", [])}
    tasks = [task for task in settings.get("tasks", []) if "python_wheel_task" in task]
    if len(tasks) != 1 or tasks[0].get("job_cluster_key") not in clusters:
        raise SettingsError(
            "it has not one task with a wheel and a cluster of its own",
            subject=_name_of(job.job_id),
            remedy=_DEPLOY,
        )
    (task,) = tasks
    wheel = dict(task["python_wheel_task"])
    # Pipes gives its parameters as variables of a new cluster.
    wheel["parameters"] = [each for each in wheel.get("parameters", []) if not each.startswith(_PARAMETERS_OF_PIPES)]
    described = {
        "task_key": task["task_key"],
        "new_cluster": clusters[task["job_cluster_key"]],
        "python_wheel_task": wheel,
        "libraries": task.get("libraries", []),
        "timeout_seconds": settings.get("timeout_seconds", 0),
    }
    return jobs.SubmitTask.from_dict(described)


def _token(context: dg.AssetExecutionContext, number: int) -> str:
    """Return the name of a job of a step: a repeated request with the same name starts no second cluster."""
    parts = (context.run.run_id, str(context.op_execution_context.op_handle), str(context.retry_number), str(number))
    return blake2b("/".join(parts).encode(), digest_size=32).hexdigest()


@contextmanager
def _faults_told(subject: str) -> Iterator[None]:
    try:
        yield
    except (DatabricksError, OSError, ValueError) as error:
        told = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ComputeFailed(f"Databricks cannot be asked ({told})", subject=subject, remedy=_GO_ON) from error
