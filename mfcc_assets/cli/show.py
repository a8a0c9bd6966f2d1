"""`mfcc show`: everything about one track."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.filesize import decimal
from rich.table import Table

from mfcc_assets.cli.console import json_option, open_console, print_json
from mfcc_assets.cli.library import length
from mfcc_assets.cli.recommend import recommendations_table
from mfcc_assets.library import Library
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.pipeline.track_report import TrackReport


@click.command()
@click.argument("track")
@json_option
@click.pass_obj
def show(library: Library, track: str, as_json: bool) -> None:
    """Show all that the library knows of TRACK.

    That is the tags, the file, the state, the features, the index, the list and the artwork. Name a track by its
    id, its title or its file name. A part of a title or file name is enough if no other track has it.
    """
    from mfcc_assets.pipeline.find_track import find_track
    from mfcc_assets.pipeline.nearness import with_nearness
    from mfcc_assets.pipeline.track_report import report_of_track

    report = report_of_track(library, find_track(library, track))
    if as_json:
        print_json({**asdict(report), "track": {**asdict(report.track), "state": report.track.state}})
        return
    console = open_console()
    grid = Table.grid(padding=(0, 2))
    for name, text in _lines(report).items():
        if text:
            grid.add_row(name, printable(text))
    console.print(grid)
    if report.recommendations:
        rows = [asdict(row) for row in report.recommendations]
        rows = with_nearness(library, rows, report.recommendations[0].index_version)
        console.print(recommendations_table(rows, [row["title"] for row in rows], console))
    else:
        console.print("It has no list of recommendations.")


def _lines(report: "TrackReport") -> dict[str, str]:
    track = report.track
    numbers = {"disc": track.disc_number, "track": track.track_number}
    return {
        "track id": track.track_id,
        "title": track.title,
        "artist": track.artist,
        "artists": "; ".join(track.artists),
        "album": track.album,
        "album artist": track.album_artist,
        "number": ", ".join(f"{name} {number}" for name, number in numbers.items() if number is not None),
        "year": str(track.year or ""),
        "genre": track.genre,
        "MusicBrainz": track.recording_mbid,
        "length": length(track.seconds),
        "state": track.state,
        "note": track.every_note,
        "file": _file(report),
        "in place": report.in_place,
        "copied from": report.copied_from,
        "same audio": "; ".join(report.same_audio),
        "features": _features(report),
        "index": _index(report),
        "artwork": report.artwork or "none",
    }


def _file(report: "TrackReport") -> str:
    if report.is_there:
        return f"{report.file} ({decimal(report.track.bytes)})"
    return f"{report.file} is {'away, as its disk is' if report.is_away else 'gone'}"


def _features(report: "TrackReport") -> str:
    if report.track.audio_id is None:
        return "none"
    if report.has_cepstra and report.has_track_features:
        return f"stored, version {report.features_version}, audio {report.track.audio_id}"
    return "missing. `mfcc sync` computes them"


def _index(report: "TrackReport") -> str:
    if report.index_version is None:
        return report.index_fault or "there is none yet"
    if report.represented_by is None:
        return f"not in index {report.index_version}"
    other = report.represented_by != report.track.track_id
    return f"in index {report.index_version}" + (f", as track {report.represented_by}" if other else "")
