"""The disk that a year of Dagster's runs takes: ``python -m mfcc_assets_tests.benchmarks.history --home FOLDER``.

Two real runs, one over a library and one for an upload, are copied many times, with their events, logs and pictures.
Then the job that deletes old runs does its work, and the databases are written again without their free pages, as
happens every night. Another call with the same folder adds runs to those that are there.
"""

import argparse
import os
import shutil
import sqlite3
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from mfcc_assets.defs.history import delete_old_runs
from mfcc_assets.defs.launch import prepare_dagster_home
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload, run_library, run_uploads

UPLOADS_PER_LIBRARY_RUN = 19
"""Number of runs for uploads between two runs over the library: a year of 10,000 runs has 500 of the latter."""

_OTHER_COLUMNS = "dagster_event_type, timestamp, step_key, asset_key, partition"

_SONGS = 5
_SONG_SECONDS = 2.0


@dataclass(frozen=True)
class Template:
    """A real run, which is copied as its bytes lie on the disk. Dagster itself would need an hour for 10,000 runs.

    Attributes
    ----------
    run
        The run.
    home
        Dagster's home.
    """

    run: dg.DagsterRun
    home: Path

    @classmethod
    def of(cls, instance: dg.DagsterInstance, run_id: str) -> "Template":
        run = instance.get_run_by_id(run_id)
        assert run is not None
        return cls(run, Path(instance.root_directory))

    def copy(self, instance: dg.DagsterInstance, index: sqlite3.Connection) -> str:
        """Store a copy with an id of its own, and return the id.

        Parameters
        ----------
        instance
            Dagster's instance.
        index
            The database of the events of all assets.
        """
        old, new = self.run.run_id, str(uuid.uuid4())
        instance.add_run(self.run._replace(run_id=new))
        ids = {"old": old, "new": new}
        index.execute(
            f"INSERT INTO event_logs (run_id, event, {_OTHER_COLUMNS}) "
            f"SELECT :new, replace(event, :old, :new), {_OTHER_COLUMNS} FROM event_logs WHERE run_id = :old",
            ids,
        )
        events = self.home / "history" / "runs"
        shutil.copyfile(events / f"{old}.db", events / f"{new}.db")
        with closing(sqlite3.connect(events / f"{new}.db")) as run, run:
            run.execute("PRAGMA synchronous=OFF")
            run.execute("UPDATE event_logs SET run_id = :new, event = replace(event, :old, :new)", ids)
        if (storage_of(instance) / old).exists():
            shutil.copytree(storage_of(instance) / old, storage_of(instance) / new)
        return new


def storage_of(instance: dg.DagsterInstance) -> Path:
    """Return the folder with the logs and the pictures of runs."""
    return Path(instance.root_directory) / "storage"


def real_runs(library: Library, instance: dg.DagsterInstance, song: Path) -> tuple[Template, Template]:
    """Run over a library that is up to date, and answer a song as an upload; return both runs."""
    over_library = run_library(library, instance).result.run_id
    upload = drop_upload(library, song, "upload.flac")
    for_upload = run_uploads(library, instance, [upload]).result.run_id
    # What is written ahead of a database is not in its file yet.
    for database in (Path(instance.root_directory) / "history" / "runs").glob("*.db"):
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Template.of(instance, over_library), Template.of(instance, for_upload)


def add_runs(instance: dg.DagsterInstance, templates: tuple[Template, Template], number: int) -> Iterator[str]:
    """Add copies of the two runs in the proportion of a year, and yield their ids."""
    over_library, for_upload = templates
    with closing(sqlite3.connect(over_library.home / "history" / "runs" / "index.db", isolation_level=None)) as index:
        index.execute("PRAGMA synchronous=OFF")
        for position in range(number):
            is_over_library = position % (UPLOADS_PER_LIBRARY_RUN + 1) == UPLOADS_PER_LIBRARY_RUN
            yield (over_library if is_over_library else for_upload).copy(instance, index)


def sizes(home: Path) -> Mapping[str, int]:
    """Return the bytes of disk that each part of Dagster's home takes."""

    def of(*patterns: str) -> int:
        files = (path for pattern in patterns for path in home.glob(pattern) if path.is_file())
        return sum(path.stat().st_blocks * 512 for path in files)

    index = of("history/runs/index.db*")
    return {
        "runs and their tags": of("history/runs.db*"),
        "events of each run": of("history/runs/*.db*") - index,
        "asset events": index,
        "logs and pictures": of("storage/**/*"),
        "ticks": of("schedules/*"),
    }


def vacuum(home: Path) -> None:
    """Write the databases of all runs again without their free pages."""
    for database in (home / "history" / "runs.db", home / "history" / "runs" / "index.db"):
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def instance_of(settings: Settings) -> dg.DagsterInstance:
    home = str(prepare_dagster_home(settings))
    os.environ["DAGSTER_HOME"] = home
    return dg.DagsterInstance.get()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of the library")
    parser.add_argument("--runs", type=int, default=10_000, help="number of runs to add")
    parser.add_argument("--delete", action="store_true", help="delete all runs at the end but the last ones")
    chosen = parser.parse_args(arguments)
    chosen.home.mkdir(parents=True, exist_ok=True)
    settings = Settings(home=chosen.home)
    with instance_of(settings) as instance, Library(settings) as library:
        songs = [write_music(chosen.home / f"song {seed}.flac", _SONG_SECONDS, seed=seed) for seed in range(_SONGS)]
        for song in songs:
            library.blobs.upload_file("soundtracks", song.name, song)
        run_library(library, instance)
        for _ in add_runs(instance, real_runs(library, instance, songs[0]), chosen.runs):
            pass
        _print(f"{instance.get_runs_count():,} runs", sizes(settings.dagster_home))
        if chosen.delete:
            number = delete_old_runs(instance, timedelta(0))
            vacuum(settings.dagster_home)
            _print(f"after {number:,} of them were deleted", sizes(settings.dagster_home))


def _print(heading: str, found: Mapping[str, int]) -> None:
    lines: list[tuple[str, Any]] = [*found.items(), ("together", sum(found.values()))]
    sys.stdout.write("".join([f"{heading}\n", *(f"  {name:20} {size / 1e6:10.1f} MB\n" for name, size in lines)]))


if __name__ == "__main__":
    main()
