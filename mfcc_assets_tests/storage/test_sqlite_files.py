"""Damage of a file of SQLite is found without the package that wrote the file."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from mfcc_assets.storage.sqlite_files import address_of_unchanging, damage_of, switch_to_write_ahead_log


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "what? 100%.db"
    with closing(sqlite3.connect(path)) as connection:
        switch_to_write_ahead_log(connection)
        connection.execute("CREATE TABLE names (name PRIMARY KEY)")
        connection.executemany("INSERT INTO names VALUES (?)", [(f"{number:0100}",) for number in range(1_000)])
        connection.commit()
    return path


def with_garbage(content: bytes, begin: int) -> bytes:
    return content[:begin] + 4_096 * b"?" + content[begin + 4_096 :]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: b"?" * len(content),
        lambda content: with_garbage(content, 0),
        lambda content: with_garbage(content, 40_960),
        lambda content: content[: len(content) // 2],
    ],
    ids=["garbage alone", "garbage at the beginning", "garbage in the middle", "cut"],
)
def test_damage_is_described(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.write_bytes(change(file.read_bytes()))
    assert damage_of(file) != ""


def test_an_intact_file_and_a_missing_one_are_not_damaged(file: Path) -> None:
    assert damage_of(file) == ""
    assert damage_of(file.with_name("missing.db")) == ""
    assert not file.with_name("missing.db").exists()


def test_the_log_of_a_file_may_go_while_another_process_looks_for_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write every folder
    log, ended = file.with_name(f"{file.name}-wal"), Event()

    def come_and_go() -> None:
        while not ended.is_set():
            log.touch()
            log.unlink()

    other = Thread(target=come_and_go)
    other.start()
    try:
        assert all(address_of_unchanging(file) for _ in range(3_000))
    finally:
        ended.set()
        other.join()
