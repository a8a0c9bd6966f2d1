"""`mfcc status`: the state of the library at one look."""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from rich.filesize import decimal
from rich.table import Table

from mfcc_assets.cli.console import json_option, open_console, print_json
from mfcc_assets.cli.uploads import word_of
from mfcc_assets.errors import RunFailed
from mfcc_assets.library import Library
from mfcc_assets.texts import counted, printable

if TYPE_CHECKING:
    from mfcc_assets.pipeline.index_versions import DescribedVersion
    from mfcc_assets.pipeline.library_status import LibraryStatus

_FIGURES = {
    "at_5": "P@5 {:.3f}",
    "recall": "recall {:.1%}",
    "never_recommended": "never recommended {:.1%}",
    "skewness": "hub skewness {:.2f}",
}
"""How the stored figures of an index are written."""

_LARGEST_PARTS, _OTHER = 5, "other"


@click.command()
@json_option
@click.pass_obj
def status(library: Library, as_json: bool) -> None:
    """Show the state of the library at one look.

    That is what it holds, which index answers, what waits, the disk in use, and the last run.
    """
    from mfcc_assets.pipeline.library_status import status_of

    with ThreadPoolExecutor(1) as executor:  # Dagster needs as long to start as everything else
        telling = executor.submit(_last_run, library)
        found = status_of(library)
        run = telling.result()
    if as_json:
        index = found.index and {**asdict(found.index.stored), "quality": dict(found.index.quality)}
        if index:
            index["built_at"] = index["built_at"].isoformat()
        print_json({"home": str(library.settings.folder), **asdict(found), "index": index, "last_run": run or None})
        return
    grid = Table.grid(padding=(0, 2))
    for name, text in _lines(library, found, run).items():
        grid.add_row(name, printable(text))
    open_console().print(grid)


def _lines(library: Library, found: "LibraryStatus", run: Mapping[str, Any]) -> dict[str, str]:
    settings = library.settings
    lines = {"library": str(settings.folder)}
    if settings.profile == "azure":
        lines["blobs"] = settings.blobs_address
    lines["soundtracks"] = _soundtracks(found)
    if found.folders_in_place or found.paths_away:
        lines["in place"] = _in_place(found)
    lines["index"] = _index(found)
    if found.index:
        lines["quality"] = _quality(found.index)
    if found.withheld:
        lines["withheld"] = found.withheld
    lines["waiting"] = _waiting(found)
    uploads = Counter[str]()
    for state, number in found.uploads.items():
        uploads[word_of(state)] += number
    lines["uploads"] = _counts(uploads) or "none"
    lines["disk"] = _disk(found)
    lines["last run"] = _run(run)
    from mfcc_assets.defs.launch import is_command_line_at_work

    if is_command_line_at_work(settings):
        lines["now"] = "a command changes the library"
    return lines


def _soundtracks(found: "LibraryStatus") -> str:
    states = {state: number for state, number in found.states.items() if number}
    if found.tables_fault:
        return found.tables_fault
    if not states:
        return "none. Add music with `mfcc add PATH`"
    hours, minutes = divmod(round(found.seconds / 60), 60)
    copies = f"; {found.copies} have the same audio as another" if found.copies else ""
    return f"{sum(states.values())}: {_counts(states)}; {hours} h {minutes:02} min of music{copies}"


def _in_place(found: "LibraryStatus") -> str:
    away = f"; away: {', '.join(found.paths_away)}" if found.paths_away else ""
    return f"{counted(len(found.folders_in_place), 'folder')}{away}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def _index(found: "LibraryStatus") -> str:
    if found.index is None:
        return found.index_fault or "none yet, so there are no recommendations"
    stored = found.index.stored
    built = f"{stored.built_at.astimezone():%Y-%m-%d %H:%M}"
    damage = f". {found.index_fault}" if found.index_fault else ""
    return f"{stored.version} answers, with {stored.tracks} tracks, ranking {stored.ranking}, built {built}{damage}"


def _quality(index: "DescribedVersion") -> str:
    figures = {name: index.quality.get(name) for name in _FIGURES}
    written = [_FIGURES[name].format(figure) for name, figure in figures.items() if figure is not None]
    return ", ".join(written) or "not measured"


def _waiting(found: "LibraryStatus") -> str:
    if not found.outstanding:
        return "nothing"
    return f"{counted(len(found.outstanding), 'change')} for a run, the first: {found.outstanding[0]}"


def _disk(found: "LibraryStatus") -> str:
    parts = [(part, size) for part, size in found.disk.items() if size]
    shown = [(part, size) for part, size in parts if part != _OTHER][:_LARGEST_PARTS]
    other = sum(size for _, size in parts) - sum(size for _, size in shown)
    each = ", ".join(f"{part} {decimal(size)}" for part, size in [*shown, *([(_OTHER, other)] if other else [])])
    return f"{decimal(sum(found.disk.values()))} used ({each}), {decimal(found.free)} free"


def _last_run(library: Library) -> dict[str, Any]:
    try:
        from mfcc_assets.defs.launch import last_library_run

        return last_library_run(library.settings) or {}
    except RunFailed as error:
        return {"fault": str(error)}


def _run(run: Mapping[str, Any]) -> str:
    if not run:
        return "none yet"
    if "fault" in run:
        return str(run["fault"])
    started = f"{datetime.fromisoformat(run['started_at']).astimezone():%Y-%m-%d %H:%M:%S}"
    took = "" if run["seconds"] is None else f", after {run['seconds']:.0f} s"
    return f"{run['outcome']}, started {started}{took} (run {run['run_id']})"
