"""The boundaries between the parts of the package, and the length of files."""

import re
import subprocess
import sys
from pathlib import Path

import mfcc_assets
from mfcc_assets_tests.services.processes import REPOSITORY

PACKAGE = Path(mfcc_assets.__file__).parent
TESTS = REPOSITORY / "mfcc_assets_tests"
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
    folders = [PACKAGE, TESTS, REPOSITORY / "docs", REPOSITORY / "deploy"]
    lengths = {
        path.relative_to(REPOSITORY).as_posix(): len(path.read_text().splitlines())
        for folder in folders
        for pattern in ("*.py", "*.md", "*.bicep", "*.js")
        for path in folder.rglob(pattern)
        if "node_modules" not in path.parts
    }

    assert {name for name, lines in lengths.items() if lines > LONGEST_FILE} == set()


def test_every_package_has_a_package_of_tests() -> None:
    packages = {path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("__init__.py")} - {Path()}
    mirrors = {path.parent.relative_to(TESTS) for path in TESTS.rglob("__init__.py")}

    # storage/sql/test_migrations.py tests the migrations, and defs/test_assets.py tests the assets.
    elsewhere = {Path("storage/sql/migrations"), Path("storage/sql/migrations/versions"), Path("defs/assets")}
    assert packages - mirrors == elsewhere


def test_every_module_of_the_pipeline_has_a_test_module() -> None:
    modules = {path.stem for path in (PACKAGE / "pipeline").glob("[!_]*.py")}
    tested = {path.stem.removeprefix("test_") for path in (TESTS / "pipeline").glob("test_*.py")}

    assert modules - tested == set()
