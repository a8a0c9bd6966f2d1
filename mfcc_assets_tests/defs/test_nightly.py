"""The nightly schedules: a run over the library, old versions of the index, and the databases of Dagster."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg

from mfcc_assets.defs.launch import range_tags
from mfcc_assets.defs.nightly import INDEXES_KEPT, NO_TRACKS, housekeeping_job, nightly_schedule, vacuum
from mfcc_assets.library import Library
from mfcc_assets_tests.ranked_library import add_tracks, publish
from mfcc_assets_tests.runs import QUIET


def tick(library: Library, instance: dg.DagsterInstance) -> dg.RunRequest | str | None:
    """Return the run that the schedule asks for, or why it asks for none."""
    with dg.build_schedule_context(instance, resources={"library": library}) as context:
        outcome = nightly_schedule.evaluate_tick(context)
    return outcome.run_requests[0] if outcome.run_requests else outcome.skip_message


def test_every_night_a_run_goes_over_the_whole_library(library: Library, instance: dg.DagsterInstance) -> None:
    before = tick(library, instance)
    add_tracks(library, 1)
    request = tick(library, instance)

    assert before == NO_TRACKS
    assert isinstance(request, dg.RunRequest)
    assert request.tags.items() >= range_tags("0", "f").items()


def test_every_night_old_versions_of_the_index_are_deleted(library: Library, instance: dg.DagsterInstance) -> None:
    for number in range(INDEXES_KEPT + 2):
        add_tracks(library, number)
        publish(library)
    newest = [stored.version for stored in library.indexes.versions()][-INDEXES_KEPT:]

    result = housekeeping_job.execute_in_process(instance=instance, resources={"library": library}, run_config=QUIET)

    assert result.success
    assert [stored.version for stored in library.indexes.versions()] == newest


def test_a_library_without_an_index_has_nothing_to_delete(library: Library, instance: dg.DagsterInstance) -> None:
    result = housekeeping_job.execute_in_process(instance=instance, resources={"library": library}, run_config=QUIET)

    assert result.success


def test_a_database_with_many_free_pages_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode=WAL")
        reader.execute("CREATE TABLE events (body)")
        reader.executemany("INSERT INTO events VALUES (?)", [("x" * 1_000,)] * 2_000)
        reader.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        unchanged = vacuum(path)
        reader.execute("DELETE FROM events WHERE rowid > 10")
        before = path.stat().st_size

        freed = vacuum(path)

        assert unchanged == 0
        assert freed > 1_500_000
        assert path.stat().st_size <= before - freed
        assert reader.execute("SELECT COUNT(*) FROM events").fetchone() == (10,)


def test_a_database_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    assert vacuum(tmp_path / "index.db") == 0
    assert list(tmp_path.iterdir()) == []
