"""The job and the schedule that purge uploads after their time of retention."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from mfcc_assets.defs.retention import NOTHING_LAPSED, retention_job, retention_schedule
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import QUIET, requested_uploads


def tick(library: Library, instance: dg.DagsterInstance) -> tuple[str | None, int]:
    """Return why the schedule asks for no run, and the number of runs that it asks for."""
    with dg.build_schedule_context(instance, resources={"library": library}) as context:
        outcome = retention_schedule.evaluate_tick(context)
    return outcome.skip_message, len(outcome.run_requests or [])


def test_the_schedule_runs_by_itself_and_asks_for_a_run_only_if_something_has_lapsed(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    with Library(settings.model_copy(update={"retention_days": 1})) as library:
        library.blobs.write("uploads", "song.mp3", b"not music")
        (upload,) = requested_uploads(library, instance)
        before = tick(library, instance)
        library.documents.update(upload, lambda body: {**body, "received": two_days_ago()})
        after = tick(library, instance)

        retention_job.execute_in_process(instance=instance, resources={"library": library}, run_config=QUIET)

        assert retention_schedule.default_status == dg.DefaultScheduleStatus.RUNNING
        assert (before, after) == ((NOTHING_LAPSED, 0), (None, 1))
        assert list(library.documents.find()) == []
        assert list(library.blobs.list("uploads")) == []
        assert tick(library, instance) == (NOTHING_LAPSED, 0)


def test_without_a_retention_nothing_lapses(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("uploads", "song.mp3", b"not music")
    (upload,) = requested_uploads(library, instance)
    library.documents.update(upload, lambda body: {**body, "received": two_days_ago()})

    assert tick(library, instance) == (NOTHING_LAPSED, 0)


def two_days_ago() -> str:
    return (datetime.now(UTC) - timedelta(days=2)).isoformat()
