"""The job that Databricks runs: it does work on Spark, and writes the results to blobs.

It is the script ``mfcc-job`` of the wheel, which Dagster Pipes starts; see `mfcc_assets.defs.databricks`. It has no
database and no password of one, because the step in Dagster stores what comes back.
"""

import argparse
import logging
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from math import inf
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import pyarrow as pa
from dagster_pipes import (
    PipesAzureBlobStorageContextLoader,
    PipesAzureBlobStorageMessageWriter,
    PipesContext,
    PipesMappingParamsLoader,
    open_dagster_pipes,
)

from mfcc_assets.compute.context import opened_context
from mfcc_assets.compute.databricks import SECONDS_BETWEEN_SIGNS
from mfcc_assets.compute.port import Activity, Compute, Work
from mfcc_assets.compute.spark import SparkEngine
from mfcc_assets.compute.work_blobs import WorkBlobs
from mfcc_assets.errors import ComputeFailed, MfccError, SettingsError
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.azure import AzureBlobs

PIPES_CONTAINER = "pipes"
"""Container of the contexts and messages of Dagster Pipes. They are of no use after the run."""

FOLDER = "folder"
"""Name of the extra of Pipes with the folder of the work in the container `cepstra`."""

FAILURE, PROGRESS = "failure", "progress"
"""Keys of custom messages of Pipes."""

SECONDS_BETWEEN_MESSAGES = 10.0

SECONDS_WITHOUT_SIGN = 1_800.0
"""Time without a sign of the step after which the job ends, and its cluster with it."""

_SECONDS_BETWEEN_UPLOADS = 5
_SECONDS_BETWEEN_LOOKS = 2.0
_SECONDS_BETWEEN_RESULTS = 5.0
_RESULT_BYTES = 64 << 20
"""Results of so much time or of so many bytes are written together."""

_logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the work that Dagster Pipes names, and report to it.

    Raises
    ------
    SettingsError
        If Dagster did not start it.
    MfccError
        If the work cannot be done. Dagster gets the error before the job ends.
    """
    logging.basicConfig(level=logging.INFO)
    options = _options(arguments)
    given = {
        "DAGSTER_PIPES_CONTEXT": options.dagster_pipes_context,
        "DAGSTER_PIPES_MESSAGES": options.dagster_pipes_messages,
    }
    # A cluster that is made for the job has them as variables.
    settings = Settings.model_construct(
        home=Path(options.home), spark_master=options.spark_master, cache_gigabytes=options.cache_gigabytes
    )
    parameters = PipesMappingParamsLoader(given if all(given.values()) else settings.environment)
    if not parameters.is_dagster_pipes_process():
        raise SettingsError("it has no parameters of Dagster Pipes", subject="mfcc-job", remedy="Start it from Dagster")
    storage = {"profile": "azure", "home": options.home, "blob_url": options.blob_url}
    if options.blob_key_secret:
        storage["blob_key_secret"] = options.blob_key_secret
    blobs = opened_context(storage).blobs
    assert isinstance(blobs, AzureBlobs)
    client = blobs.client_with(PIPES_CONTAINER)
    with open_dagster_pipes(
        params_loader=parameters,
        context_loader=PipesAzureBlobStorageContextLoader(client),
        message_writer=PipesAzureBlobStorageMessageWriter(client, interval=_SECONDS_BETWEEN_UPLOADS),
    ) as pipes:
        try:
            do_work(pipes, WorkBlobs(blobs, pipes.get_extra(FOLDER)), settings, options.blob_key_secret)
        except BaseException as error:
            pipes.report_custom_message({FAILURE: failure_of(error)})
            raise


def failure_of(error: BaseException) -> dict[str, str]:
    """Return an error as a message.

    Examples
    --------
    >>> failure_of(MfccError("it is silent", subject="song.mp3"))["subject"]
    'song.mp3'
    """
    known = isinstance(error, MfccError)
    return {
        "what": error.what if isinstance(error, MfccError) else f"{type(error).__name__}: {error}".rstrip(": "),
        "subject": error.subject if isinstance(error, MfccError) else "",
        "remedy": error.remedy if isinstance(error, MfccError) else "",
        "traceback": "" if known else "".join(traceback.format_exception(error)),
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("mfcc-job", description="Heavy work on Databricks, started by Dagster.")
    parser.add_argument("--blob-url", required=True, help="address of the storage account's blobs")
    parser.add_argument("--blob-key-secret", default="", help="secret with the account's key; empty: an identity")
    parser.add_argument("--home", required=True, help="folder of the local disk for copies of blobs")
    parser.add_argument("--cache-gigabytes", type=float, default=100.0, help="size of these copies on each machine")
    parser.add_argument("--spark-master", default="", help="master of Spark; empty: that of the cluster")
    for name in ("--dagster-pipes-context", "--dagster-pipes-messages"):
        parser.add_argument(name, default="", help="parameter of Dagster Pipes")
    return parser.parse_args(arguments)


def do_work(pipes: PipesContext, exchanged: WorkBlobs, settings: Settings, key: str = "") -> None:
    """Do the work of a folder on Spark, and write the results there, until Dagster tells that it was all.

    Parameters
    ----------
    pipes
        The session of Dagster Pipes, to which the progress is told.
    exchanged
        The work, and its results.
    settings
        Settings of this machine: the home, the size of the cache there, and the master of Spark.
    key
        Name of the secret with the key of the storage account; empty if an identity signs in.

    Raises
    ------
    ComputeFailed
        If Spark fails, or the step of Dagster does not want the results any more.
    """
    if exchanged.read_sign() is None and not exchanged.item_names():
        # The step writes the first part before it starts the job. A job whose start was not answered is left alone.
        raise ComputeFailed("it is not there", subject=f"the work in {exchanged.folder}", remedy="Start the run again")
    tally, signs = _Tally(), _Signs(exchanged)
    compute, numbers, begun = Compute(SparkEngine(settings)), count(), set[str]()

    def new_names() -> list[str]:
        return [name for name in exchanged.item_names() if name not in begun]

    def parts() -> Iterator[pa.Table]:
        # Parts that come meanwhile follow at once, so that no executor waits for the last bin of the others.
        while names := new_names():
            begun.add(names[0])
            _, items = exchanged.read_items(names[0])
            tally.add(len(items))
            yield items

    with _told(pipes, tally):
        while True:
            # Parts that are written before the end are seen after it.
            is_end = exchanged.has_end()
            if names := new_names():
                work, _ = exchanged.read_items(names[0])
                for some in _portions(compute.run_parts(_here(work, settings, key), parts(), tally.show), tally):
                    exchanged.write_results(f"{next(numbers):06}", some)
                    signs.check()
            elif is_end:
                return
            else:
                signs.check()
                time.sleep(_SECONDS_BETWEEN_LOOKS)


def _here(work: Work, settings: Settings, key: str) -> Work:
    """Return work with the settings of a cluster: its own disk, and its own way to sign in to the storage account."""
    of_caller = {
        name: value for name, value in work.settings.items() if name not in ("key_vault_url", "blob_key_secret")
    }
    of_cluster = {"home": str(settings.home), "cache_gigabytes": str(settings.cache_gigabytes)}
    if key:
        of_cluster["blob_key_secret"] = key
    return replace(work, settings={**of_caller, **of_cluster})


def _portions(results: Iterable[pa.RecordBatch], tally: "_Tally") -> Iterator[pa.Table]:
    """Yield results, those of some seconds together."""
    waiting, began = list[pa.RecordBatch](), time.monotonic()
    for batch in results:
        waiting.append(batch)
        tally.count(batch)
        is_large = sum(each.nbytes for each in waiting) >= _RESULT_BYTES
        if is_large or time.monotonic() - began >= _SECONDS_BETWEEN_RESULTS:
            yield pa.Table.from_batches(waiting)
            waiting, began = [], time.monotonic()
    if waiting:
        yield pa.Table.from_batches(waiting)


class _Signs:
    """Looks for the signs of the step that wants the results. A process that is killed gives none."""

    def __init__(self, exchanged: WorkBlobs) -> None:
        self._exchanged = exchanged
        self._last: int | None = None
        self._seen, self._looked = time.monotonic(), -inf

    def check(self) -> None:
        """Raise ComputeFailed if there was no sign for too long, or the step has deleted the work."""
        now = time.monotonic()
        if now - self._looked < SECONDS_BETWEEN_SIGNS:
            return
        sign, self._looked = self._exchanged.read_sign(), now
        is_deleted = sign is None and self._last is not None
        if sign != self._last and not is_deleted:
            self._last, self._seen = sign, now
        elif is_deleted or now - self._seen > SECONDS_WITHOUT_SIGN:
            raise ComputeFailed(
                f"it has given no sign for {(now - self._seen) / 60:.0f} minutes",
                subject="the step in Dagster that wants the results",
                remedy="Start the run again if it was killed",
            )


class _Tally:
    """What is done so far."""

    def __init__(self) -> None:
        self._items = self._done = self._failed = 0
        self._doing, self._shards = "", Counter[str]()
        self._lock = Lock()

    def add(self, items: int) -> None:
        """Count the items of a part."""
        with self._lock:
            self._items += items

    def show(self, activity: Activity) -> None:
        self._doing = activity.doing

    def count(self, results: pa.RecordBatch) -> None:
        # Another thread tells it meanwhile.
        with self._lock:
            self._done += results.num_rows
            self._failed += results.num_rows - results["error_code"].null_count
            self._shards.update(results["shard"].to_pylist())

    @property
    def message(self) -> Mapping[str, Any]:
        with self._lock:
            shards = dict(self._shards)
        return {"done": self._done, "of": self._items, "with_error": self._failed, "shards": shards}

    def __str__(self) -> str:
        doing = f"{self._doing}. " if self._doing else ""
        return f"{doing}{self._done:,} of {self._items:,} done, {self._failed:,} of them with an error"


@contextmanager
def _told(pipes: PipesContext, tally: _Tally) -> Iterator[None]:
    """Tell Dagster what is done: at the beginning, every ten seconds, and at the end."""
    ended = Event()

    def tell() -> None:
        pipes.report_custom_message({PROGRESS: tally.message})
        pipes.log.info(str(tally))
        _logger.info("%s", tally)

    def keep_telling() -> None:
        while not ended.wait(SECONDS_BETWEEN_MESSAGES):
            tell()

    teller = Thread(target=keep_telling, daemon=True)
    tell()
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()
        tell()
