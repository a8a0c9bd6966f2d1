"""A process keeps itself within the bounds on the reading of a file."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import time
from mfcc_assets.audio.bounds import Bounds, Budget

budget = Budget(Bounds(waiting_seconds=0.5))
budget.working(0.0)
{}
time.sleep(3)
"""


def exit_code(body: str) -> int:
    return subprocess.run([sys.executable, "-c", PROGRAM.format(body)], check=False).returncode


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process in another way")
@pytest.mark.parametrize("body", ["", "with budget.waiting(): time.sleep(1)"])
def test_a_file_that_hangs_before_or_behind_its_first_block_is_given_up(body: str) -> None:
    assert exit_code(body) == -signal.SIGALRM


@pytest.mark.parametrize("body", ["with budget.waiting(): time.sleep(1)", ""])
def test_waiting_for_others_and_the_time_between_files_do_not_count(body: str) -> None:
    assert exit_code(f"{body}\nbudget.end()") == 0
