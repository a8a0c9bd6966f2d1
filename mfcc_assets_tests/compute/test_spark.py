"""Spark gives the same answer as the threads of this machine, and survives what happens to executors.

`test_engines` has what holds for every engine.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context, settings_of_work
from mfcc_assets.compute.equal_bins import BIN, jobs_of
from mfcc_assets.compute.port import Activity
from mfcc_assets.compute.spark import STARTING
from mfcc_assets.compute.spark_session import slots_of, started_session
from mfcc_assets.errors import ComputeFailed
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.compute.answer_of_files import answer_of_files, assert_same_answer
from mfcc_assets_tests.compute.sample_work import FATAL, numbers, work_named
from mfcc_assets_tests.services.processes import REPOSITORY, free_port
from mfcc_assets_tests.services.spark import SparkServers

LARGEST_DIFFERENCE = 1e-6
TRACKS_OF_CORPUS = 60


@pytest.fixture(scope="module", params=["starter library", "development corpus"])
def music(request: pytest.FixtureRequest) -> list[Path]:
    if request.param == "starter library":
        return sorted(Path(str(files("mfcc_assets").joinpath("demo/library"))).iterdir())
    folder = Path(os.environ.get("CORPUS", Path.home() / ".cache" / "mfcc_corpus"))
    corpus = Corpus(folder, folder / ".work")
    if len(corpus.tracks) < TRACKS_OF_CORPUS:
        pytest.skip(f"the development corpus is not in {folder}, which CORPUS can name")
    step = len(corpus.tracks) // TRACKS_OF_CORPUS
    return [corpus.path(track) for track in corpus.tracks[::step][:TRACKS_OF_CORPUS]]


@pytest.fixture(scope="module")
def local_answer(music: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return answer_of_files(Settings(home=tmp_path_factory.mktemp("local") / "home", settle_seconds=0), music)


@pytest.mark.parametrize("kind", ["master", "connect"])
def test_executors_give_the_same_answer_as_this_machine(
    kind: str, spark: SparkServers, music: list[Path], local_answer: dict[str, Any], tmp_path: Path
) -> None:
    master = getattr(spark, kind)
    settings = Settings(home=tmp_path / "home", settle_seconds=0, compute="spark", spark_master=master)

    assert_same_answer(answer_of_files(settings, music), local_answer, within=LARGEST_DIFFERENCE)


def test_spark_in_a_process_of_its_own_gives_the_same_answer(
    music: list[Path], local_answer: dict[str, Any], tmp_path: Path
) -> None:
    module, home = "mfcc_assets_tests.compute.answer_of_files", tmp_path / "home"
    ran = subprocess.run(
        [sys.executable, "-m", module, home, "local[2,4]", *music],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert_same_answer(json.loads(ran.stdout), local_answer, within=LARGEST_DIFFERENCE)


def with_costs(items: pa.Table, costs: list[float]) -> pa.Table:
    return items.set_column(items.schema.get_field_index("cost"), "cost", pa.array(costs))


@pytest.fixture
def settings_of_spark(spark: SparkServers, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, min_seconds=2.5, compute="spark", spark_master=spark.master)


def test_an_executor_that_is_killed_loses_and_doubles_nothing(settings_of_spark: Settings, tmp_path: Path) -> None:
    compute, every = compute_of(Context(Library(settings_of_spark))), [*range(20), FATAL, *range(20, 40)]
    work = work_named("halve", settings_of_work(settings_of_spark))

    rows = [row for batch in compute.run(work, numbers(every, tmp_path)) for row in batch.to_pylist()]

    assert (tmp_path / "killed").exists()
    assert sorted(row["half"] for row in rows) == sorted(number / 2 for number in every)


@pytest.mark.parametrize("kind", ["master", "connect"])
def test_each_bin_is_a_task_although_few_bins_have_most_items(
    kind: str, spark: SparkServers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = 8
    monkeypatch.setattr("mfcc_assets.compute.spark.slots_of", lambda *_: slots)
    settings = Settings(home=tmp_path, min_seconds=2.5, compute="spark", spark_master=getattr(spark, kind))
    work = work_named("tell_task", settings_of_work(settings), at_once=1_000)
    items = with_costs(numbers(range(150)), [1.0] * 50 + [500.0, 40.0, 300.0] + [1.0] * 97)

    rows = [row for batch in compute_of(Context(Library(settings))).run(work, items) for row in batch.to_pylist()]

    tasks = Counter((stage, partition) for stage, partition, _ in (row["parts"] for row in rows))
    bins = [count for job in jobs_of(items, slots) for count in np.bincount(job[BIN].to_numpy()).tolist()]
    assert sorted(tasks.values()) == sorted(bins)
    assert min(bins) == 1


def test_large_items_come_in_small_batches(settings_of_spark: Settings) -> None:
    work = work_named("tell_task", settings_of_work(settings_of_spark), at_once=1_000)
    items = with_costs(numbers(range(13), "x" * (1 << 20)), [1.0] * 12 + [1_000.0])

    found = compute_of(Context(Library(settings_of_spark))).run(work, items)

    assert max(count for batch in found for _, _, count in batch["parts"].to_pylist()) in range(2, 6)


@pytest.mark.parametrize("kind", ["master", "connect"])
def test_the_slots_of_all_executors_are_known(kind: str, spark: SparkServers, tmp_path: Path) -> None:
    master = getattr(spark, kind)

    assert slots_of(started_session(Settings(home=tmp_path, spark_master=master)), master) == 2


def test_the_start_of_spark_is_told(settings_of_spark: Settings) -> None:
    compute, told = compute_of(Context(Library(settings_of_spark))), list[Activity]()

    list(compute.run(work_named("halve", settings_of_work(settings_of_spark)), numbers([1]), told.append))

    assert [progress.doing for progress in told] == [STARTING, ""]


def test_a_fault_of_spark_is_told_with_advice(settings_of_spark: Settings) -> None:
    compute = compute_of(Context(Library(settings_of_spark)))
    work = work_named("halve", {"home": str(settings_of_spark.home), "fft_size": "no number"})

    with pytest.raises(ComputeFailed, match=r"Spark failed \(.*the next run goes on from there"):
        list(compute.run(work, numbers([1])))


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("sc://127.0.0.1:{port}/", "refused"),
        ("spark://127.0.0.1:{port},localhost:{port}", "refused.*refused"),
        ("spark://no-such-host.invalid:7077", "not known|resolution"),
    ],
)
def test_a_server_that_does_not_answer_is_named_at_once_without_its_token(
    address: str, cause: str, tmp_path: Path
) -> None:
    address = address.format(port=free_port())
    settings = Settings(home=tmp_path, compute="spark", spark_master=f"{address};token=hidden")

    with pytest.raises(ComputeFailed, match=f"{address}: no Spark answers there .*({cause})") as told:
        list(compute_of(Context(Library(settings))).run(work_named("halve", {}), numbers([1])))
    assert "hidden" not in str(told.value)
