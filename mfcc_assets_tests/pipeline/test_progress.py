"""How far a run is: what is counted, estimated, said, and written for other processes."""

import threading
from pathlib import Path

import pytest

from mfcc_assets.pipeline.progress import Progress, Tally, by_shard, read_progress, write_progress


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (Progress("Building the index"), "Building the index"),
        (Progress("Ranking", 4, 16, "shards"), "Ranking: 4 of 16 shards"),
        (
            Progress("Analysing audio", 620, 2_792, per_second=3.42, seconds_left=634, rejects=2, current="a/b.mp3"),
            "Analysing audio: 620 of 2,792 files, 3.4 a second, about 11 min left, 2 rejected, a/b.mp3",
        ),
        (
            Progress("Reading tags", 9_000, 90_000, per_second=11.7, seconds_left=7_300, current="caf\udce9\x1b.mp3"),
            "Reading tags: 9,000 of 90,000 files, 12 a second, about 2 h 2 min left, caf\\xe9\\x1b.mp3",
        ),
        (Progress("Reading tags", 1, 2, seconds_left=0.4), "Reading tags: 1 of 2 files, about 0 s left"),
        (
            Progress("Ranking", 4, 256, "shards", per_second=1 / 45, seconds_left=11_340, current="shard 04"),
            "Ranking: 4 of 256 shards, 1.3 a minute, about 3 h 9 min left, shard 04",
        ),
        (Progress("Ranking", 4, 256, "shards", per_second=1 / 400), "Ranking: 4 of 256 shards, 9.0 an hour"),
        (Progress("Ranking", 4, 256, "shards", per_second=1 / 7200), "Ranking: 4 of 256 shards, 0.5 an hour"),
    ],
)
def test_progress_is_said_in_a_line(progress: Progress, said: str) -> None:
    assert str(progress) == said


def test_a_tally_counts_files_and_rejects_and_estimates_the_time_by_the_work() -> None:
    reported: list[Progress] = []
    tally = Tally(reported.append, "Analysing audio", 5, before=1, rejects=1, work=100, first="a")
    tally.begin("a")
    tally.begin("b")
    tally.end("a", work=75)
    tally.end("b", files=2, work=20, rejected=True)
    tally.begin("c")
    tally.end("c", work=5)

    assert [one.counted for one in reported] == [f"{done} of 5 files" for done in (1, 2, 4, 5)]
    assert [one.rejects for one in reported] == [1, 1, 3, 3]
    assert [one.current for one in reported] == ["a", "b", "b", "c"]
    assert reported[0].seconds_left is None
    assert reported[1].seconds_left == pytest.approx(3 / reported[1].per_second), "three small files remain"
    assert reported[-1].seconds_left == 0


def test_the_current_file_is_the_last_one_that_is_still_at_work() -> None:
    reported: list[Progress] = []
    tally = Tally(reported.append, "Reading tags", 40)
    tally.begin("long")
    threads = [threading.Thread(target=tally.begin, args=(f"{number}",)) for number in range(39)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(39):
        tally.end(f"{number}")

    assert reported[-1].counted == "39 of 40 files"
    assert reported[-1].current == "long"


def test_shards_are_counted_with_the_one_at_work_the_rate_and_the_time_that_is_left() -> None:
    reported: list[Progress] = []
    items = by_shard(reported.append, "Ranking", iter([1, 2, 3]), ["0a", "0b", "0c"])

    assert next(items) == 1
    assert (reported[-1].counted, reported[-1].current) == ("0 of 3 shards", "shard 0a"), "what is done is not used yet"
    assert list(items) == [2, 3]

    assert [one.counted for one in reported] == [f"{done} of 3 shards" for done in range(4)]
    assert [one.current for one in reported[:3]] == ["shard 0a", "shard 0b", "shard 0c"]
    assert all(one.per_second > 0 and one.seconds_left is not None for one in reported[1:])
    assert reported[-1].seconds_left == 0
    assert list(by_shard(reported.append, "Ranking", [], [])) == []


def test_progress_is_written_for_other_processes(tmp_path: Path) -> None:
    path, progress = tmp_path / "home" / "progress.json", Progress("Ranking", 1, 16, "shards", current="caf\udce9")
    assert read_progress(path) is None
    write_progress(path, progress)
    assert read_progress(path) == progress
    assert [file.name for file in path.parent.iterdir()] == ["progress.json"]
    path.write_text('{"phase": ')
    assert read_progress(path) is None


def test_a_file_that_cannot_be_written_disturbs_nothing(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    write_progress(tmp_path / "a file" / "progress.json", Progress("Ranking"))


@pytest.mark.parametrize(("done", "total", "complete"), [(0, 0, False), (3, 4, False), (4, 4, True)])
def test_a_phase_is_complete_when_all_that_is_counted_is_done(done: int, total: int, complete: bool) -> None:
    assert Progress("Ranking", done, total).is_complete is complete
