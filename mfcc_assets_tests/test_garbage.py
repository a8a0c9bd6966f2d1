"""Python does not look for garbage among the objects of imported libraries."""

import subprocess
import sys

import pytest

from mfcc_assets.garbage import OBJECTS_PER_COLLECTION

COUNTED = """
import gc
collections = []
gc.callbacks.append(lambda phase, info: collections.append(info["generation"]) if phase == "stop" else None)
{begin}
import mfcc_assets.pipeline.file_answer
print(len(collections))
"""
SPARED = "from mfcc_assets.garbage import spare_the_collector; spare_the_collector()"


def printed(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "begin",
    [
        "from mfcc_assets.cli.main import main; main(['library', '--help'], standalone_mode=False)",
        "import mfcc_assets.defs",
    ],
)
def test_commands_and_runs_spare_the_collector(begin: str) -> None:
    assert printed(f"{begin}\nimport gc; print(gc.get_threshold()[0])").split()[-1] == str(OBJECTS_PER_COLLECTION)


def test_python_rarely_looks_for_garbage_while_libraries_are_imported() -> None:
    spared, usual = (int(printed(COUNTED.format(begin=begin))) for begin in (SPARED, ""))

    assert 10 * spared < usual


def test_python_does_not_look_through_all_objects_when_the_process_ends() -> None:
    # Callbacks run in the opposite order of their registration.
    program = f"import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1_000)); {SPARED}"

    assert printed(program) == "True\n"
