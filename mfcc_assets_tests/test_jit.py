"""Tests that kernels are compiled once, and again after any of them was edited."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mfcc_assets

DISTANCE = """
import numpy as np
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.similarity.dtw.distance import distances_to_all

others = RaggedFrames.of([np.array([[3.0]], np.float32)], 1)
distances, _ = distances_to_all(np.array([[1.0]], np.float32), others, None)
print(distances[0, 0])
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package that a test may edit."""
    original = Path(mfcc_assets.__file__).parent
    copied = tmp_path / "mfcc_assets"
    ignored = shutil.ignore_patterns("__pycache__", "demo")
    shutil.copytree(original, copied, ignore=ignored)
    return copied


def computed_distance(package: Path, before: str = "", **variables: str) -> tuple[str, str]:
    """Return what a process prints that computes a distance with the package, and its messages."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    ran = subprocess.run(
        [sys.executable, "-c", before + DISTANCE],
        cwd=package.parent,
        env={**environment, "PYTHONPATH": str(package.parent), **variables},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip(), ran.stderr


def printed_distance(package: Path) -> str:
    return computed_distance(package)[0]


def test_the_caller_of_an_edited_kernel_is_compiled_again(package: Path) -> None:
    assert printed_distance(package) == "2.0"
    kernels = package / "similarity" / "dtw" / "anti_diagonals.py"
    source = kernels.read_text()
    edited = source.replace("before[k - d]) + abs(", "before[k - d]) + 10 * abs(")
    assert edited != source
    kernels.write_text(edited)

    # A kernel in another file, which was not edited, calls the edited kernel.
    assert printed_distance(package) == "20.0"


def test_an_edited_constant_leads_to_new_machine_code(package: Path) -> None:
    printed_distance(package)
    # This module has no kernels. Kernels of other modules use its constants.
    constants = package / "features" / "fingerprint.py"
    constants.write_text(constants.read_text() + "\n# edited\n")
    printed_distance(package)

    assert len(list((package / "__pycache__").glob("kernels-*"))) == 2


def test_every_package_with_kernels_belongs_to_the_hash(package: Path) -> None:
    importers = [path for path in package.rglob("*.py") if "from mfcc_assets.jit import" in path.read_text()]

    assert {path.relative_to(package).parts[0] for path in importers} <= {
        "features",
        "similarity",
        "search",
        "recognition",
    }


def test_machine_code_is_kept_for_the_next_process(package: Path) -> None:
    printed_distance(package)

    (folder,) = (package / "__pycache__").glob("kernels-*")
    before = sorted(path.stat().st_mtime_ns for path in folder.rglob("*.nb?"))
    assert before

    printed_distance(package)

    assert sorted(path.stat().st_mtime_ns for path in folder.rglob("*.nb?")) == before


NO_HOME = """
import os
os.environ.pop("HOME")
os.path.expanduser = lambda path: path  # what it does for a user who is in no list of users
"""


@pytest.mark.parametrize(("before", "home"), [("", os.devnull), (NO_HOME, "")])
def test_without_a_folder_that_can_be_written_kernels_are_compiled_in_each_process(
    package: Path, before: str, home: str
) -> None:
    (package / "__pycache__").write_text("no folder")

    printed, told = computed_distance(package, before, HOME=home)

    assert printed == "2.0"
    assert "No folder for compiled kernels can be written" in told
    assert not list(package.parent.rglob("*.nb?"))


def test_a_folder_that_is_given_and_cannot_be_written_is_not_needed(package: Path) -> None:
    printed, told = computed_distance(package, NUMBA_CACHE_DIR=f"{os.devnull}/kernels")

    assert (printed, told) == ("2.0", "")
    assert list((package / "__pycache__").glob("kernels-*"))
