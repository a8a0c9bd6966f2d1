"""The job on Databricks, with Spark and without Dagster. How Dagster starts it is in defs/test_databricks."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mfcc_assets.compute import databricks_job
from mfcc_assets.compute.context import settings_of_work
from mfcc_assets.compute.databricks_job import PROGRESS, do_work, failure_of, main
from mfcc_assets.compute.work_blobs import WorkBlobs
from mfcc_assets.errors import ComputeFailed, SettingsError, SilentAudio
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.compute.sample_work import SILENT, numbers, work_named
from mfcc_assets_tests.services.spark import SparkServers


class Pipes:
    """Keeps what a job reports."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.log = SimpleNamespace(info=self.lines.append)

    def report_custom_message(self, message: dict[str, Any]) -> None:
        self.messages.append(message)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "disk of the cluster"


def rows_of(exchanged: WorkBlobs) -> list[dict[str, Any]]:
    return [row for name in exchanged.result_names() for row in exchanged.read_results(name).to_pylist()]


def test_a_job_does_all_parts_and_tells_what_is_done(spark: SparkServers, tmp_path: Path, home: Path) -> None:
    assert spark.master
    # The job uses the session that there is, as on a cluster of Databricks.
    settings = Settings.model_construct(home=home, spark_master="")
    with Library(Settings(home=tmp_path / "home", min_seconds=2.5)) as library:
        exchanged, pipes = WorkBlobs(library.blobs, "jobs/one"), Pipes()
        work = work_named("halve", settings_of_work(library.settings))
        exchanged.write_items("000000", work, numbers([1, 2]))
        exchanged.write_items("000001", work, numbers([3, SILENT]))
        exchanged.write_end()

        do_work(pipes, exchanged, settings)  # type: ignore[arg-type]

        rows = rows_of(exchanged)
    assert sorted(row["key"] for row in rows) == ["0001", "0002", "0003", "0100"]
    assert pipes.lines[0] == "0 of 0 done, 0 of them with an error"
    assert pipes.lines[-1] == "4 of 4 done, 1 of them with an error"
    assert pipes.messages[-1] == {
        PROGRESS: {"done": 4, "of": 4, "with_error": 1, "shards": {"1": 1, "2": 1, "3": 1, "0": 1}}
    }


def test_a_job_does_parts_that_come_while_it_works_and_tells_its_progress(
    spark: SparkServers, library: Library, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spark.master
    monkeypatch.setattr(databricks_job, "SECONDS_BETWEEN_MESSAGES", 0.05)
    monkeypatch.setattr(databricks_job, "_SECONDS_BETWEEN_LOOKS", 0.01)
    exchanged, pipes = WorkBlobs(library.blobs, "jobs/one"), Pipes()
    work = work_named("halve", {**settings_of_work(library.settings), "min_seconds": "2.5"})
    exchanged.write_items("000000", work, numbers([1, 2]))

    def give_more() -> None:
        while not exchanged.result_names():
            threading.Event().wait(0.05)
        exchanged.write_items("000001", work, numbers([3]))
        exchanged.write_items("000002", work, numbers([4, 5]))
        exchanged.write_end()

    step = threading.Thread(target=give_more)
    step.start()
    do_work(pipes, exchanged, Settings.model_construct(home=home, spark_master=""))  # type: ignore[arg-type]
    step.join()

    assert sorted(row["key"] for row in rows_of(exchanged)) == [f"{number:04}" for number in range(1, 6)]
    told = [message[PROGRESS]["done"] for message in pipes.messages]
    assert told == sorted(told)
    assert {0, 2, 5} <= set(told)


def test_a_job_whose_results_nobody_wants_any_more_ends(
    library: Library, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databricks_job, "SECONDS_BETWEEN_SIGNS", 0.0)
    monkeypatch.setattr(databricks_job, "SECONDS_WITHOUT_SIGN", 0.05)
    monkeypatch.setattr(databricks_job, "_SECONDS_BETWEEN_LOOKS", 0.01)
    exchanged = WorkBlobs(library.blobs, "jobs/one")
    exchanged.write_sign(1)

    with pytest.raises(ComputeFailed, match="the step in Dagster that wants the results: it has given no sign"):
        do_work(Pipes(), exchanged, Settings.model_construct(home=home, spark_master=""))  # type: ignore[arg-type]


def test_a_job_ends_at_once_when_the_step_has_deleted_the_work(
    library: Library, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databricks_job, "SECONDS_BETWEEN_SIGNS", 0.0)
    monkeypatch.setattr(databricks_job, "_SECONDS_BETWEEN_LOOKS", 0.01)
    exchanged = WorkBlobs(library.blobs, "jobs/one")
    exchanged.write_sign(1)
    threading.Timer(0.5, exchanged.delete).start()

    with pytest.raises(ComputeFailed, match="it has given no sign for 0 minutes"):
        do_work(Pipes(), exchanged, Settings.model_construct(home=home, spark_master=""))  # type: ignore[arg-type]


def test_a_job_whose_work_was_deleted_before_it_began_ends_at_once(library: Library, home: Path) -> None:
    settings = Settings.model_construct(home=home, spark_master="")

    with pytest.raises(ComputeFailed, match="the work in jobs/one: it is not there"):
        do_work(Pipes(), WorkBlobs(library.blobs, "jobs/one"), settings)  # type: ignore[arg-type]


def test_the_cache_of_an_executor_has_the_size_of_its_own_disk(
    spark: SparkServers, library: Library, home: Path
) -> None:
    assert spark.master
    exchanged = WorkBlobs(library.blobs, "jobs/one")
    settings_of_caller = settings_of_work(library.settings.model_copy(update={"cache_gigabytes": 2.0}))
    exchanged.write_items("000000", work_named("tell_cache", settings_of_caller), numbers([1]))
    exchanged.write_end()

    settings = Settings.model_construct(home=home, spark_master="", cache_gigabytes=70.0)
    do_work(Pipes(), exchanged, settings)  # type: ignore[arg-type]

    assert [row["half"] for row in rows_of(exchanged)] == [70.0]


def test_without_dagster_the_job_says_what_starts_it(home: Path) -> None:
    with pytest.raises(SettingsError, match=r"mfcc-job: it has no parameters of Dagster Pipes\. Start it from Dagster"):
        main(["--blob-url=https://blobs.example", f"--home={home}"])


def test_the_message_of_an_error_names_what_it_concerns_and_an_unexpected_one_has_its_trace() -> None:
    known = failure_of(SilentAudio("it is silent", subject="song.mp3", remedy="Turn it up"))
    unknown = failure_of(ValueError("no"))

    assert known == {"what": "it is silent", "subject": "song.mp3", "remedy": "Turn it up", "traceback": ""}
    assert (unknown["what"], unknown["traceback"].splitlines()[-1]) == ("ValueError: no", "ValueError: no")
