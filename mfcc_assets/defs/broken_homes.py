"""Causes of a failed run that Dagster itself cannot tell, because they also keep it from reading its own files."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from mfcc_assets.errors import MfccError, SettingsError, StoreError
from mfcc_assets.storage.disk_space import full_disk, is_full, tells_of_full
from mfcc_assets.storage.sqlite_files import damage_of

DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
"""Dagster's files of SQLite that every run needs, below its home."""

_BEHIND_ERRORS = ("[SQL:", "[parameters:", "(Background on this error at:")
"""Beginnings of lines that SQLAlchemy writes behind an error."""

_CLASSES = re.compile(r"(sqlalchemy\.exc\.\w+: )?\(sqlite3\.\w+\) ")
"""What SQLAlchemy writes before the message of SQLite."""


def error_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines of a log, a traceback or a message without those that SQLAlchemy writes behind an error."""
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith(_BEHIND_ERRORS)]


def last_error(lines: Sequence[str]) -> str:
    """Return the line that names the error at the end of a log or traceback; empty if there is none.

    Examples
    --------
    >>> last_error(["(sqlite3.OperationalError) unable to open database file", "(Background on this error at: https)"])
    'unable to open database file'
    """
    return _CLASSES.sub("", "".join(error_lines(lines)[-1:]))


def fault_of_home(home: Path, told: str) -> MfccError | None:
    """Return what is wrong with Dagster's home or its disk; None if nothing is found.

    Parameters
    ----------
    home
        Dagster's home.
    told
        What the failed run told last.
    """
    for path in (home / name for name in DATABASES):
        damage = damage_of(path)
        if damage:
            return StoreError(
                f"it is damaged ({damage})",
                subject=str(path),
                remedy=f"Move it away, with {path.name}-wal and {path.name}-shm if they are there, and run "
                "`mfcc sync`. Only the history of former runs is lost",
            )
    unreadable = _fault_of_settings(home / "dagster.yaml")
    if unreadable:
        return unreadable
    return full_disk(home) if tells_of_full(told) or is_full(home) else None


def _fault_of_settings(path: Path) -> SettingsError | None:
    """Return what keeps Dagster from reading its settings, which may be changed by hand; None if nothing does."""
    try:
        settings = yaml.safe_load(path.read_bytes()) if path.exists() else {}
        fault = None if isinstance(settings, dict) else "it has no settings"
    except OSError as error:
        fault = f"it cannot be read ({error.strerror})"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        fault = f"line {mark.line + 1} is not YAML" if mark else "it is not YAML"
    if fault is None:
        return None
    return SettingsError(fault, subject=str(path), remedy="Correct it, or delete it: the next command writes a new one")
