"""`mfcc index`: list, compare, publish and delete versions of the index."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from mfcc_assets.cli.console import json_option, labelled_line, open_console, print_json
from mfcc_assets.library import Library
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.pipeline.index_versions import DescribedVersion

_FIGURES = {
    "P@1": ("at_1", ".3f"),
    "P@5": ("at_5", ".3f"),
    "hub skewness": ("skewness", ".2f"),
    "never recommended": ("never_recommended", ".1%"),
    "recall": ("recall", ".1%"),
}
"""Columns of the list, each with the name of its stored figure and the format in which it is written."""

Names = Mapping[str, str | None]
"""Track id, title and artist of a track. Title and artist are None if the track has left the library."""


@click.group()
def index() -> None:
    """List, compare, publish and delete versions of the index.

    A version may be abbreviated to its first characters.
    """


@index.command(name="list")
@json_option
@click.pass_obj
def list_versions(library: Library, as_json: bool) -> None:
    """List every version with its state and its figures."""
    from mfcc_assets.pipeline.index_versions import damaged_descriptions, describe_versions

    unreadable = damaged_descriptions(library)
    versions = describe_versions(library)
    if as_json:
        records = [{"version": version, "state": "damaged", "damage": damage} for version, damage in unreadable.items()]
        print_json([*(_version_record(version) for version in versions), *records])
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
    if versions:
        console.print(table)
    for damage in (*(version.damage for version in versions if version.damage), *unreadable.values()):
        console.print(labelled_line("damaged", damage))
    if not versions and not unreadable:
        console.print("no index was built yet")


@index.command(name="diff")
@click.argument("first")
@click.argument("second")
@click.option("--top", type=click.IntRange(min=0), default=10, show_default=True, help="Number of changes to show.")
@json_option
@click.pass_obj
def diff(library: Library, first: str, second: str, top: int, as_json: bool) -> None:
    """Compare the recommendations of the versions FIRST and SECOND.

    The largest changes come first. Lists are compared as listeners get them, with the tags and settings of today.
    """
    from mfcc_assets.pipeline.index_versions import diff_versions, names_of_diff, version_named

    versions = version_named(library, first), version_named(library, second)
    comparison = diff_versions(library, *versions)
    shown = comparison.changed[:top]
    names = names_of_diff(library, comparison, shown)
    if as_json:
        record = {
            "first": versions[0],
            "second": versions[1],
            **comparison.counts(),
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
        print_json(record)
        return
    console = open_console()
    counts = comparison.counts()
    console.print(
        f"{counts['compared']} tracks are in both versions. Of their lists of five, {counts['changed']} contain other "
        f"tracks ({counts['places']} new ones in all), {counts['reordered']} contain the same tracks in another order, "
        f"and {counts['unchanged']} are unchanged."
    )
    if shown:
        table = Table("track", "removed", "added", title=f"From {versions[0]} to {versions[1]}", show_lines=True)
        for change in shown:
            cells = [[change.query], change.removed, change.added]
            table.add_row(*("\n".join(printable(_title(names[audio_id])) for audio_id in cell) for cell in cells))
        console.print(table)
    if len(comparison.changed) > len(shown):
        console.print(f"… and {len(comparison.changed) - len(shown)} more: see --top")
    for version, only in zip(versions, (comparison.only_first, comparison.only_second), strict=True):
        if only:
            titles = [_title(names[audio_id]) for audio_id in only[:top]]
            rest = [f"and {len(only) - top} more"] if len(only) > top else []
            console.print(f"Tracks only in {version} ({len(only)}): {printable('; '.join([*titles, *rest]))}")


@index.command()
@click.argument("version")
@click.option("--force", is_flag=True, help="Publish it although it is worse than the published version.")
@click.pass_obj
def publish(library: Library, version: str, force: bool) -> None:
    """Publish VERSION, so that it answers from now on.

    It must be complete, and not worse than the published version. `mfcc index rollback` undoes this.
    """
    from mfcc_assets.pipeline.index_versions import version_named
    from mfcc_assets.pipeline.publication import publish_by_hand

    published = publish_by_hand(library, version_named(library, version), although_worse=force)
    click.echo(
        f"Index {published.version} answers already."
        if published.version == published.former
        else f"Index {published.version} answers now. Before, it was {published.former or 'none'}."
    )


@index.command()
@click.pass_obj
def rollback(library: Library) -> None:
    """Return to the version that answered before.

    Nothing is computed again. The present version is withdrawn: no run publishes it again. `mfcc index publish` does.
    """
    from mfcc_assets.pipeline.publication import roll_back

    published = roll_back(library)
    click.echo(
        f"Index {published.version} answers. {published.former} is withdrawn; "
        f"`mfcc index publish {published.former}` lets it answer again."
    )


@index.command()
@click.option(
    "--keep", type=click.IntRange(min=0), default=5, show_default=True, help="Number of newest versions to keep."
)
@click.pass_obj
def prune(library: Library, keep: int) -> None:
    """Delete old versions.

    The published version, the one before it and the newest one are always kept.
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
        "damage": version.damage,
    }


def _written(figure: float | None, form: str) -> str:
    return "" if figure is None else format(figure, form)


def _title(names: Names) -> str:
    if names["title"] is None:
        return f"{names['track_id']} (no longer in the library)"
    return f"{names['title']} by {names['artist']}" if names["artist"] else names["title"]
