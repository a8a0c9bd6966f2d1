"""Locks of runs: they show that a process lives, and let one run at a time work on the library."""

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

from mfcc_assets.defs.run_locks import has_lost_process, living, only_run_over_library

RUN = "11111111-2222-3333-4444-555555555555"


def test_a_run_has_lost_its_process_only_if_the_process_was_killed(tmp_path: Path) -> None:
    command = (
        "import pathlib, sys, time\n"
        "from mfcc_assets.defs.run_locks import living\n"
        f"with living(pathlib.Path({str(tmp_path)!r}), {RUN!r}):\n"
        "    print('lives', flush=True)\n"
        "    time.sleep(600)\n"
    )
    before = has_lost_process(tmp_path, RUN)
    with subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        during = has_lost_process(tmp_path, RUN)
        process.send_signal(signal.SIGKILL)
    after = has_lost_process(tmp_path, RUN)

    assert (before, during, after) == (False, False, True)


def test_a_run_that_has_ended_has_not_lost_its_process(tmp_path: Path) -> None:
    with living(tmp_path, RUN):
        pass

    assert not has_lost_process(tmp_path, RUN)


def test_a_run_over_the_library_waits_and_is_told_for_which_run(tmp_path: Path) -> None:
    told: list[str] = []
    has_begun, is_waiting = Event(), Event()

    def on_wait(run_id: str) -> None:
        told.append(run_id)
        is_waiting.set()

    def second_run() -> None:
        with only_run_over_library(tmp_path, "second", on_wait=on_wait):
            has_begun.set()

    waiting = Thread(target=second_run)
    with only_run_over_library(tmp_path, "first", on_wait=told.append):
        waiting.start()
        assert is_waiting.wait(10)
        assert not has_begun.wait(0.5)
    assert has_begun.wait(10)
    waiting.join()

    assert told == ["first"]


def test_a_lock_that_is_free_is_taken_at_once(tmp_path: Path) -> None:
    told: list[str] = []
    for run_id in ("first", "second"):
        with only_run_over_library(tmp_path, run_id, on_wait=told.append):
            pass

    assert told == []
