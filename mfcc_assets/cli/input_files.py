"""The files that a user names on the command line. Whatever is not a file is refused before anything reads it."""

import stat
from collections.abc import Callable, Iterable
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


class NamedPath(click.Path):
    """A path that the user named. An empty text names nothing, although Python reads it as the present folder."""

    name = "path"

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path. Raises ClickException if the text is empty."""
        if str(value) == "":
            raise click.ClickException("The name of the file is empty. Name a file.")
        return super().convert(value, param, ctx)


def readable_file(_context: click.Context, _parameter: click.Parameter, path: Path) -> Path:
    """Return a path from the command line. Raises ClickException with one sentence if it cannot be read as a file."""
    return _checked(path, takes_folders=False)


def files_and_folders(_context: click.Context, _parameter: click.Parameter, paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return paths from the command line. Raises ClickException if one is neither a file nor a folder."""
    return tuple(_checked(path, takes_folders=True) for path in paths)


def _checked(path: Path, *, takes_folders: bool) -> Path:
    subject = shown_name(str(path))
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise click.ClickException(f"{subject}: there is no such file.") from None
    except OSError as error:
        raise click.ClickException(f"{subject}: it cannot be read ({error.strerror}).") from None
    if stat.S_ISREG(mode) or (takes_folders and stat.S_ISDIR(mode)):
        return path
    kind = next((kind for matches, kind in _KINDS if matches(mode)), "something else")
    raise click.ClickException(f"{subject}: it is {kind}, not a file. Save its content in a file, and name that.")
