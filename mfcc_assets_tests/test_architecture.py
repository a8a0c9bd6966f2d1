"""The boundaries between the parts of the package, and the length of files."""

import re
import subprocess
import sys
from pathlib import Path

import mfcc_assets
from mfcc_assets_tests.services.processes import REPOSITORY

PACKAGE = Path(mfcc_assets.__file__).parent
LONGEST_FILE = 400


def test_imports_follow_the_layers() -> None:
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


def test_no_file_is_longer_than_the_limit() -> None:
    folders = [PACKAGE, REPOSITORY / "mfcc_assets_tests", REPOSITORY / "docs"]
    lengths = {
        path.relative_to(REPOSITORY).as_posix(): len(path.read_text().splitlines())
        for folder in folders
        for pattern in ("*.py", "*.md")
        for path in folder.rglob(pattern)
        if "node_modules" not in path.parts
    }

    assert {name for name, lines in lengths.items() if lines > LONGEST_FILE} == set()
