"""The wheel works with the Python and the packages of a runtime of Databricks. `make test-databricks` installs them."""

import json
import os
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mfcc_assets.settings import Settings
from mfcc_assets_tests.compute.answer_of_files import answer_of_files, assert_same_answer
from mfcc_assets_tests.services.processes import REPOSITORY

LARGEST_DIFFERENCE = 1e-5

PACKAGES = REPOSITORY / "deploy" / "databricks" / "runtime-18.txt"


@pytest.fixture(scope="module")
def python() -> str:
    if not (path := os.environ.get("PYTHON_OF_RUNTIME")):
        pytest.skip("`make test-databricks` runs this, because it installs another Python's packages")
    return path


def test_the_wheel_replaces_no_package_of_the_runtime(python: str) -> None:
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    installed = {canonicalize_name(package["name"]): package["version"] for package in json.loads(listed.stdout)}

    lines = PACKAGES.read_text().splitlines()
    wanted = [Requirement(line) for line in lines if not line.startswith("#")]
    # They were installed before the wheel, as on a cluster.
    replaced = [
        str(package) for package in wanted if not package.specifier.contains(installed[canonicalize_name(package.name)])
    ]
    assert replaced == []


def test_executors_of_the_runtime_give_the_same_answer_as_this_machine(python: str, tmp_path: Path) -> None:
    music = sorted(Path(str(files("mfcc_assets").joinpath("demo/library"))).iterdir())
    # The tests are not part of the wheel. Without the folder of the repository, the code is that of the wheel.
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "mfcc_assets_tests").symlink_to(REPOSITORY / "mfcc_assets_tests")
    ran = subprocess.run(
        [python, "-P", "-m", "mfcc_assets_tests.compute.answer_of_files", tmp_path / "spark", "local[2,4]", *music],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "path")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    there, here = json.loads(ran.stdout), answer_of_files(Settings(home=tmp_path / "here", settle_seconds=0), music)
    # NumPy and SciPy of other versions round what is fitted to a library otherwise, so its index has another version.
    there["version"] = here["version"]
    assert_same_answer(there, here, within=LARGEST_DIFFERENCE)
