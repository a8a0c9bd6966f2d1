"""Boundaries between the parts of the package."""

import re
import subprocess
import sys
from pathlib import Path

import mfcc_assets
from mfcc_assets_tests.services.processes import REPOSITORY

PACKAGE = Path(mfcc_assets.__file__).parent
LONGEST_FILE = 450


def test_imports_keep_to_the_layers() -> None:
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )

    assert checked.returncode == 0, checked.stdout


def test_only_the_settings_read_the_environment() -> None:
    readers = {path.name for path in PACKAGE.rglob("*.py") if re.search(r"os\.environ|getenv", path.read_text())}

    assert readers == {"settings.py"}


def test_files_stay_short_enough_to_be_read() -> None:
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")
    }

    assert {name for name, lines in lengths.items() if lines > LONGEST_FILE} == set()
