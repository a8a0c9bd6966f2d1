"""`mfcc explain`: why a track is near to another."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mfcc_assets.cli.console import open_console
from mfcc_assets.library import Library

if TYPE_CHECKING:
    from mfcc_assets.pipeline.explain import ExplainedPair

_FORMS: dict[str, Literal["png", "svg"]] = {".png": "png", ".svg": "svg"}


def _picture_file(_: click.Context, parameter: click.Parameter, file: Path | None) -> Path | None:
    if file is not None and file.suffix.lower() not in _FORMS:
        raise click.BadParameter(f"{file.name} ends neither in .png nor in .svg.", param=parameter)
    return file


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_picture_file,
    help="Draw heat maps and warping path into a .png or .svg file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.pass_obj
def explain(library: Library, a: str, b: str, picture: Path | None, as_json: bool) -> None:
    """Explain how near A and B are: track ids, titles, file names, or parts of them that only one track has."""
    from mfcc_assets.pipeline.explain import explain_pair, picture_of_pair
    from mfcc_assets.pipeline.find_track import find_track

    index = library.indexes.published()
    pair = explain_pair(library, index, find_track(library, a), find_track(library, b))
    if picture is not None:
        picture.write_bytes(picture_of_pair(library, index, pair, _FORMS[picture.suffix.lower()]))
    if as_json:
        click.echo(json.dumps(pair.record(), indent=1))
        return
    _print(pair, open_console())


def _print(pair: "ExplainedPair", console: Console) -> None:
    why = pair.explanation
    names = [escape(track.display_title) for track in (pair.a, pair.b)]
    ratio = f", {why.control.ratio:.2f} times what is usual" if why.control.ratio is not None else ""
    console.print(f"{names[0]} and {names[1]}: distance {pair.ranked_distance:.3f} by {pair.ranking}")
    ranked = Table("part", "deviations from what is usual for both", title="Nearer (-) or farther (+) than usual")
    for part, deviations in pair.parts.items():
        ranked.add_row(part, f"{deviations:+.2f}")
    console.print(ranked)
    console.print(f"By warping alone: distance {why.distance:.3f}{ratio}")
    console.print(
        f"Closer than {why.control.closer_than:.1%} of {why.control.random_pairs} random pairs of the library."
    )
    if why.stretches:
        alike = Table(f"in {names[0]}", f"in {names[1]}", "difference", "closer than", title="Where they sound alike")
        for stretch in why.stretches:
            alike.add_row(
                _span(stretch.a_start, stretch.a_end),
                _span(stretch.b_start, stretch.b_end),
                f"{stretch.difference:.2f}",
                f"{stretch.closer_than:.1%} of random moments",
            )
        console.print(alike)
    else:
        console.print("No stretch of theirs sounds alike.")
    apart = Table("coefficient", "stands for", "share", "closer than", title="What the distance is made of")
    for coefficient in why.coefficients:
        apart.add_row(
            coefficient.name,
            f"{coefficient.stands_for}: {coefficient.description}",
            f"{coefficient.share:.1%}",
            f"{coefficient.closer_than:.1%} of random pairs",
        )
    console.print(apart)


def _span(start: float, end: float) -> str:
    return "–".join(f"{round(time) // 60}:{round(time) % 60:02}" for time in (start, end))
