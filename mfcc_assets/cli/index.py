"""`mfcc index`: see the versions of the library's index, compare them, and choose which one answers."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from mfcc_assets.cli.console import open_console
from mfcc_assets.library import Library

if TYPE_CHECKING:
    from mfcc_assets.pipeline.index_versions import DescribedVersion, IndexDiff, ListChange

_FIGURES = {
    "P@1": ("at_1", ".3f"),
    "P@5": ("at_5", ".3f"),
    "hub skewness": ("skewness", ".2f"),
    "never recommended": ("never_recommended", ".1%"),
    "recall": ("recall", ".1%"),
}
"""Columns of the list: the figure's name in the stored quality, and how it is written."""

Names = Mapping[str, str | None]
"""Track id, title and artist of a track; of one that is gone from the library the id alone."""


@click.group()
def index() -> None:
    """See the versions of the index, compare them, and choose which one answers.

    Versions may be abbreviated.
    """


@index.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.pass_obj
def list_versions(library: Library, as_json: bool) -> None:
    """List every version with its figures, and which of them answers."""
    from mfcc_assets.pipeline.index_versions import describe_versions

    versions = describe_versions(library)
    if as_json:
        click.echo(json.dumps([_version_record(version) for version in versions], indent=1))
        return
    console = open_console()
    table = Table("version", "state", "built", "tracks", "ranking", "features", *_FIGURES)
    for version in versions:
        stored = version.stored
        figures = [_written(version.quality.get(name), form) for name, form in _FIGURES.values()]
        built = f"{stored.built_at.astimezone():%Y-%m-%d %H:%M}"
        table.add_row(
            stored.version, version.state, built, str(stored.tracks), stored.ranking, stored.features_version, *figures
        )
    console.print(table if versions else "no index was built yet")


@index.command(name="diff")
@click.argument("first")
@click.argument("second")
@click.option("--top", type=click.IntRange(min=0), default=10, show_default=True, help="How many changes are shown.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.pass_obj
def diff(library: Library, first: str, second: str, top: int, as_json: bool) -> None:
    """Show what version SECOND recommends otherwise than version FIRST, the largest changes first.

    Lists are compared as listeners get them, by the tags and settings of today.
    """
    from mfcc_assets.pipeline.index_versions import diff_versions, version_named

    versions = version_named(library, first), version_named(library, second)
    comparison = diff_versions(library, *versions)
    shown = comparison.changed[:top]
    names = _names(library, comparison, shown)
    if as_json:
        record = {
            "first": versions[0],
            "second": versions[1],
            **_counts(comparison),
            "changes": [
                {
                    "track": names[change.query],
                    "left": [names[audio_id] for audio_id in change.removed],
                    "came": [names[audio_id] for audio_id in change.added],
                    "highest_place": change.first_changed_rank,
                }
                for change in shown
            ],
            "only_in_first": [names[audio_id] for audio_id in comparison.only_first],
            "only_in_second": [names[audio_id] for audio_id in comparison.only_second],
        }
        click.echo(json.dumps(record, indent=1))
        return
    console = open_console()
    counts = _counts(comparison)
    console.print(
        f"Of {counts['compared']} tracks that both know, {counts['changed']} have other tracks among their top five "
        f"({counts['places']} places), {counts['reordered']} the same in another order, {counts['unchanged']} the same."
    )
    if shown:
        table = Table("track", "left", "came", title=f"From {versions[0]} to {versions[1]}", show_lines=True)
        for change in shown:
            cells = [[change.query], change.removed, change.added]
            table.add_row(*("\n".join(escape(_title(names[audio_id])) for audio_id in cell) for cell in cells))
        console.print(table)
    if len(comparison.changed) > len(shown):
        console.print(f"… and {len(comparison.changed) - len(shown)} more; --top shows more of them")
    for version, only in zip(versions, (comparison.only_first, comparison.only_second), strict=True):
        if only:
            titles = [_title(names[audio_id]) for audio_id in only[:top]]
            rest = [f"and {len(only) - top} more"] if len(only) > top else []
            console.print(f"{len(only)} tracks only in {version}: {escape('; '.join([*titles, *rest]))}")


@index.command()
@click.argument("version")
@click.pass_obj
def publish(library: Library, version: str) -> None:
    """Let VERSION answer from now on, if it is complete and not worse than the one that does.

    `mfcc index rollback` is the way back.
    """
    from mfcc_assets.pipeline.index_versions import version_named
    from mfcc_assets.pipeline.publication import publish_by_hand

    published = publish_by_hand(library, version_named(library, version))
    click.echo(
        f"Index {published.version} answers already."
        if published.version == published.former
        else f"Index {published.version} answers; before, {published.former or 'none'} did."
    )


@index.command()
@click.pass_obj
def rollback(library: Library) -> None:
    """Let the version answer that answered before. Nothing is computed again.

    The present one is withdrawn: no run publishes it again, until `mfcc index publish` does.
    """
    from mfcc_assets.pipeline.publication import roll_back

    published = roll_back(library)
    click.echo(
        f"Index {published.version} answers. {published.former} is withdrawn; "
        f"`mfcc index publish {published.former}` lets it answer again."
    )


@index.command()
@click.option("--keep", type=click.IntRange(min=0), default=5, show_default=True, help="How many of the last stay.")
@click.pass_obj
def prune(library: Library, keep: int) -> None:
    """Delete old versions.

    The one that answers stays in any case, and so do the one before it and the one that was built last.
    """
    from mfcc_assets.pipeline.index_versions import prune_versions

    gone = prune_versions(library, keep=keep)
    click.echo(f"{len(gone)} versions deleted{': ' if gone else ''}{', '.join(gone)}.")


def _version_record(version: "DescribedVersion") -> dict[str, Any]:
    stored = version.stored
    return {
        "version": stored.version,
        "state": version.state,
        "built_at": stored.built_at.isoformat(),
        "published_at": [time.isoformat() for time in version.published_at],
        "published": version.answers,
        "withdrawn": version.is_withdrawn,
        "tracks": stored.tracks,
        "ranking": stored.ranking,
        "features_version": stored.features_version,
        "quality": dict(version.quality),
    }


def _written(figure: float | None, form: str) -> str:
    return "" if figure is None else format(figure, form)


def _counts(comparison: "IndexDiff") -> dict[str, int]:
    changed, reordered = len(comparison.changed), len(comparison.reordered)
    return {
        "compared": comparison.compared,
        "changed": changed,
        "reordered": reordered,
        "unchanged": comparison.compared - changed - reordered,
        "places": sum(len(change.added) for change in comparison.changed),
    }


def _names(library: Library, comparison: "IndexDiff", shown: Sequence["ListChange"]) -> dict[str, Names]:
    """What is shown of every audio."""
    audio_ids = {
        *(audio_id for change in shown for audio_id in (change.query, *change.removed, *change.added)),
        *comparison.only_first,
        *comparison.only_second,
    }
    soundtracks = library.catalogue.tracks_of_audio(audio_ids)
    return {
        audio_id: {"track_id": track.track_id, "title": track.title, "artist": track.artist}
        if (track := soundtracks.get(audio_id))
        else {"track_id": comparison.track_ids[audio_id], "title": None, "artist": None}
        for audio_id in audio_ids
    }


def _title(names: Names) -> str:
    if names["title"] is None:
        return f"{names['track_id']} (no longer there)"
    return f"{names['title']} by {names['artist']}" if names["artist"] else names["title"]
