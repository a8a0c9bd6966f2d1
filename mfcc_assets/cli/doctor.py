"""`mfcc doctor`: find what is wrong with an installation and its library."""

from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from rich.text import Text

from mfcc_assets.cli.console import json_option, labelled_line, open_console, print_json
from mfcc_assets.errors import SettingsError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.faults import Examined, examined
from mfcc_assets.texts import counted, printable

if TYPE_CHECKING:
    from mfcc_assets.settings import Settings


@click.command()
@json_option
@click.pass_obj
@click.pass_context
def doctor(context: click.Context, library: Library, as_json: bool) -> None:
    """Find what is wrong with the library and its installation.

    The command examines the settings, the home, its disk, the database, all artworks, features, indexes and lists, and
    what is installed. For each fault the command says what to do. It repairs nothing itself. It ends with the code 1 if
    something is wrong.
    """
    from mfcc_assets.pipeline.library_health import examine_all

    settings = library.settings
    _require_possible_home(settings)
    console = open_console()
    found: list[Examined] = []

    def tell(part: Examined) -> None:
        found.append(part)
        if as_json:
            return
        mark = ("fault", "red") if part.faults else ("good", "green")
        console.print(Text.assemble(mark, " " * (6 - len(mark[0])), f"{part.part:<12}", printable(part.found)))
        for fault in part.faults:
            console.print(labelled_line("      fault", fault))
        for note in part.notes:
            console.print(labelled_line("      note", note, style="yellow"))

    with console.status("Reading features and the index", spinner="line"):
        for part in examine_all(library):
            tell(part)
        if settings.dagster_home.is_dir():
            tell(examined("runs", lambda: _examine_runs(settings)))
    faults = sum(len(part.faults) for part in found)
    if as_json:
        parts = [{"part": each.part, "found": each.found, "faults": each.faults, "notes": each.notes} for each in found]
        print_json({"faults": faults, "parts": parts})
    else:
        console.print(f"{counted(faults, 'fault')} found." if faults else "Nothing is wrong.")
    if faults:
        context.exit(1)


def _examine_runs(settings: "Settings") -> Examined:
    from mfcc_assets.defs.broken_homes import fault_of_home

    fault = fault_of_home(settings.dagster_home, "")
    return Examined("runs", str(settings.dagster_home), [str(fault)] if fault else [])


def _require_possible_home(settings: "Settings") -> None:
    """Raise `SettingsError` if there can be no library in the home, so that nothing else can be examined."""
    home = settings.folder
    file = next((path for path in (home, *home.parents) if path.exists() and not path.is_dir()), None)
    if file is not None:
        raise SettingsError("it is not a folder", subject=str(file), remedy="Name another folder in MFCC_HOME")
    if not home.exists():
        try:
            TemporaryDirectory(dir=next(path for path in home.parents if path.exists())).cleanup()
        except OSError as error:
            raise SettingsError(
                f"the folder cannot be made ({error.strerror or error})",
                subject=str(home),
                remedy="Name another folder in MFCC_HOME",
            ) from error
