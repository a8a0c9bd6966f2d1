"""Tests of the list of sessions that have ended."""

from pathlib import Path

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.web.security.ended_sessions import EndedSessions

HOUR = 3600
NOW = 1_800_000_000.0


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "sessions.sqlite"


def test_a_session_that_has_ended_stays_so_after_a_restart_and_others_stay_open(path: Path, clock: Clock) -> None:
    EndedSessions(path, seconds=HOUR, clock=clock).end("one")

    again = EndedSessions(path, seconds=HOUR, clock=clock)

    assert not again.is_open("one", NOW)
    assert again.is_open("other", NOW)


def test_a_session_may_be_ended_twice(path: Path, clock: Clock) -> None:
    sessions = EndedSessions(path, seconds=HOUR, clock=clock)

    sessions.end("one")
    sessions.end("one")

    assert not sessions.is_open("one", NOW)


def test_a_session_that_was_made_before_the_list_does_not_count(path: Path, clock: Clock) -> None:
    sessions = EndedSessions(path, seconds=HOUR, clock=clock)

    assert not sessions.is_open("one", NOW - 1)
    assert sessions.is_open("one", NOW)


def test_a_session_ends_after_its_time_and_none_comes_from_the_future(path: Path, clock: Clock) -> None:
    sessions = EndedSessions(path, seconds=HOUR, clock=clock)

    assert not sessions.is_open("one", NOW + 10)
    clock.now = NOW + HOUR
    assert not sessions.is_open("one", NOW)


def test_what_could_no_longer_be_open_is_forgotten(path: Path, clock: Clock) -> None:
    sessions = EndedSessions(path, seconds=HOUR, clock=clock)
    for number in range(500):
        sessions.end(f"session {number:04}")
    large = path.stat().st_size
    for hour in range(1, 11):
        clock.now = NOW + 2 * HOUR * hour
        for number in range(500):
            sessions.end(f"session {hour} {number:04}")

    assert path.stat().st_size <= 3 * large
    assert not sessions.is_open("session 0000", NOW)


def test_a_damaged_list_is_told(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 500)

    with pytest.raises(StoreError, match=r"sessions\.sqlite.*ended sessions"):
        EndedSessions(path, seconds=HOUR)
