"""Run the real jobs in the process of the test, and read what their runs report."""

import shutil
from collections.abc import Mapping, Sequence, Set
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg

from mfcc_assets.definitions import build_defs
from mfcc_assets.defs.launch import LIBRARY_JOB, range_tags
from mfcc_assets.defs.partitions import UPLOADS
from mfcc_assets.defs.sensors.uploads import UPLOADS_JOB, partitions_of_run, uploads_sensor
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_register import UploadRegister

ALL = ("0", "f")

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Work:
    """The work of a run over the library: what it computed and wrote. The default is no work.

    Attributes
    ----------
    cepstra, track_features
        Number of audios whose features were computed.
    added, removed
        Number of tracks that the index has gained and lost.
    index_written
        True if an index was written.
    candidates, pairs
        Number of pairs whose distance was estimated, and computed.
    rows
        Number of recommendations written.
    """

    cepstra: int = 0
    track_features: int = 0
    added: int = 0
    removed: int = 0
    index_written: bool = False
    candidates: int = 0
    pairs: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Run:
    """A run that succeeded."""

    result: dg.ExecuteInProcessResult

    def figure(self, asset: str, name: str) -> Any:
        """Return a figure that the run reports for an asset. All partitions must report the same."""
        (figure,) = set(self._figures(asset, name))
        return figure

    def total(self, asset: str, name: str) -> Any:
        """Return the sum of a figure over the partitions of an asset."""
        return sum(self._figures(asset, name))

    @property
    def work(self) -> Work:
        return Work(
            cepstra=self.total("soundtrack_cepstra", "computed"),
            track_features=self.total("soundtrack_summaries", "computed"),
            added=self.figure("prefilter_index", "added"),
            removed=self.figure("prefilter_index", "removed"),
            index_written=self.figure("prefilter_index", "written"),
            candidates=self.total("soundtrack_candidates", "pairs_computed"),
            pairs=self.total("soundtrack_rankings", "pairs_computed"),
            rows=self.total("soundtrack_recommendations", "rows_written"),
        )

    @property
    def retries(self) -> list[str]:
        """The steps that were repeated after a failure."""
        return [str(event.step_key) for event in self.result.all_events if event.is_step_restarted]

    def _figures(self, asset: str, name: str) -> list[Any]:
        return [
            event.materialization.metadata[name].value
            for event in self.result.get_asset_materialization_events()
            if event.asset_key == dg.AssetKey(asset)
        ]


def run_library(
    library: Library,
    instance: dg.DagsterInstance,
    *,
    shards: tuple[str, str] = ALL,
    job_name: str = LIBRARY_JOB,
    hooks: Set[dg.HookDefinition] = frozenset(),
) -> Run:
    """Run a job of the library over a range of shards. An error of a step is raised."""
    job = _job(library, job_name).with_hooks(hooks)
    return Run(job.execute_in_process(instance=instance, tags=range_tags(*shards), run_config=QUIET))


def checks_that_stop_a_run(
    library: Library, instance: dg.DagsterInstance, *, shards: tuple[str, str] = ALL
) -> list[str]:
    """Run the job of the library, which must fail, and return the names of the checks that did not pass."""
    result = _job(library, LIBRARY_JOB).execute_in_process(
        instance=instance, tags=range_tags(*shards), run_config=QUIET, raise_on_error=False
    )
    assert not result.success
    return [check.check_name for check in result.get_asset_check_evaluations() if not check.passed]


def run_uploads(
    library: Library,
    instance: dg.DagsterInstance,
    uploads: Sequence[UploadId],
    *,
    hooks: Set[dg.HookDefinition] = frozenset(),
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Run:
    """Answer uploads in one run with these tags. An error of a step is raised."""
    instance.add_dynamic_partitions(str(UPLOADS.name), list(uploads))
    job, partitions = _job(library, UPLOADS_JOB).with_hooks(hooks), range_tags(uploads[0], uploads[-1])
    return Run(job.execute_in_process(instance=instance, tags={**tags, **partitions}, run_config=QUIET))


def drop_upload(library: Library, path: Path, name: str) -> UploadId:
    """Put a file into the container `uploads`, as any other tool does, and return its upload id."""
    blob = library.blobs.upload_file("uploads", name, path)
    return UploadRegister(library).upload_of(blob)


def requested_uploads(library: Library, instance: dg.DagsterInstance) -> list[UploadId]:
    """Return the uploads that the sensor requests runs for when it looks at all uploads."""
    with dg.build_sensor_context(instance, resources={"library": library}) as context:
        outcome = uploads_sensor.evaluate_tick(context)
    added = [key for request in outcome.dynamic_partitions_requests or [] for key in request.partition_keys]
    keys = [*instance.get_dynamic_partitions(str(UPLOADS.name)), *added]
    return [UploadId(key) for run in outcome.run_requests or [] for key in partitions_of_run(run.tags, keys)]


def copied_home(source: Path, home: Path) -> Path:
    """Copy a library that is up to date. The copy is up to date too."""

    def copy(file: str, target: str) -> None:
        # The last reader of a database removes its log, which is empty by then.
        with suppress(FileNotFoundError) if file.endswith(("-wal", "-shm")) else nullcontext():
            shutil.copy2(file, target)

    return Path(shutil.copytree(source, home, copy_function=copy))


def assert_recommendations_hold(library: Library, size: int = 5) -> None:
    """Assert that every analysed track has all its recommendations, without deleted tracks and repeated audio."""
    tracks = {track.track_id: track for track in library.catalogue.soundtracks()}
    audio = {track.audio_id for track in tracks.values() if track.audio_id}
    for track in tracks.values():
        recommended = [tracks[row.track_id].audio_id for row in library.recommendations.recommended(track.track_id)]
        assert len(recommended) == (min(size, len(audio) - 1) if track.audio_id else 0)
        assert len({*recommended, track.audio_id}) == len(recommended) + 1


def lose_tables(library: Library) -> None:
    """Close a library, and delete its database."""
    library.close()
    for path in library.settings.folder.glob("tables.sqlite*"):
        path.unlink()


def _job(library: Library, name: str) -> dg.JobDefinition:
    return build_defs(library=library).resolve_job_def(name)


def create_run(
    instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus, tags: Mapping[str, str]
) -> dg.DagsterRun:
    run = dg.DagsterRun(job_name=job, status=status, tags=dict(tags))
    instance.add_run(run)
    return run
