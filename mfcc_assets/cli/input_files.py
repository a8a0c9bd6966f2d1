"""The files that a user names on the command line. Whatever is not a file is refused before anything reads it."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mfcc_assets.storage.blobs.names import shown_name

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
"""Kinds of what is not a file. Reading a pipe or a device may never end."""


class InputPath(click.ParamType):
    """A path of an existing file, or also of a folder.

    Parameters
    ----------
    takes_folders
        True if the command also accepts folders.
    """

    name = "path"

    def __init__(self, *, takes_folders: bool) -> None:
        self._takes_folders = takes_folders

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        """Return the path. Raises ClickException with one sentence if it cannot be read as a file."""
        path, subject = Path(os.fspath(value)), shown_name(str(value))
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            raise click.ClickException(f"{subject}: there is no such file.") from None
        except OSError as error:
            raise click.ClickException(f"{subject}: it cannot be read ({error.strerror}).") from None
        if stat.S_ISREG(mode) or (self._takes_folders and stat.S_ISDIR(mode)):
            return path
        kind = next((kind for matches, kind in _KINDS if matches(mode)), "not a file")
        raise click.ClickException(f"{subject}: it is {kind}, not a file. Save its content in a file, and name that.")
