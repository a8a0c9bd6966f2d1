"""`mfcc explain`: why two tracks are near to each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Console
from rich.table import Table

from mfcc_assets.cli.console import json_option, open_console, print_json, progress_bar, span
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.texts import printable

if TYPE_CHECKING:
    from mfcc_assets.features.parameters import CepstraParameters
    from mfcc_assets.pipeline.explain import ExplainedPair
    from mfcc_assets.pipeline.reference import PublishedPair
    from mfcc_assets.storage.sql.records import Soundtrack

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
    help="Draw the heat maps of both tracks and the warping path into a .png or .svg file.",
)
@click.option("--details", is_flag=True, help="Show the figures too: parts of the ranking and coefficients.")
@click.option(
    "--as-published",
    is_flag=True,
    help="Compute both tracks with librosa, python_speech_features and fastdtw, too, as the article does, and compare. "
    "This takes seconds for short tracks and minutes for long ones.",
)
@json_option
@click.pass_obj
def explain(
    library: Library, a: str, b: str, picture: Path | None, details: bool, as_published: bool, as_json: bool
) -> None:
    """Explain how near the tracks A and B are to each other.

    Words such as dark and calm compare a track with the library: a dark track is darker than two thirds of it.
    Name a track by its id, its title or its file name. A part of a title or file name is enough
    if no other track has it.
    """
    from mfcc_assets.pipeline.explain import explain_pair, picture_of_pair
    from mfcc_assets.pipeline.find_track import find_track
    from mfcc_assets.pipeline.opened_index import published_index

    index = published_index(library)
    first, second = find_track(library, a), find_track(library, b)
    pair = explain_pair(library, index, first, second)
    if picture is not None:
        picture.write_bytes(picture_of_pair(index, pair, _FORMS[picture.suffix.lower()]))
        click.echo(f"Wrote the picture to {shown_name(str(picture))}.", err=True)
    published = (
        _compare_as_published(library, (first, second), index.parameters.features.cepstra) if as_published else None
    )
    if as_json:
        print_json(pair.record() | ({"as_published": published.record()} if published else {}))
        return
    console = open_console()
    _print(pair, console)
    if details:
        _print_details(pair, console)
    if published:
        _print_published(published, console)


def _compare_as_published(
    library: Library, tracks: "tuple[Soundtrack, Soundtrack]", parameters: "CepstraParameters"
) -> "PublishedPair":
    from mfcc_assets.pipeline.reference import compare_as_published

    # Standard output is for the answer, which may be piped into a file.
    with progress_bar(Console(stderr=True)) as progress:
        task = progress.add_task("Comparing as published", total=parameters.coefficients)
        return compare_as_published(
            library,
            *tracks,
            parameters,
            on_progress=lambda done, _: progress.update(task, completed=done),
        )


def _print(pair: "ExplainedPair", console: Console) -> None:
    console.print(" ".join(pair.sentences))
    if pair.explanation.stretches:
        names = [printable(track.display_title) for track in (pair.a, pair.b)]
        alike = Table(f"in {names[0]}", f"in {names[1]}", "closer than", title="Where they sound alike")
        for stretch in pair.explanation.stretches:
            in_a, in_b = span(stretch.a_start, stretch.a_end), span(stretch.b_start, stretch.b_end)
            alike.add_row(in_a, in_b, f"{stretch.closer_than:.1%} of random moments")
        console.print(alike)


def _print_details(pair: "ExplainedPair", console: Console) -> None:
    why = pair.explanation
    console.print(f"Distance {pair.ranked_distance:.3f} by {pair.ranking}")
    title = "Nearer (-) or farther (+) than other tracks"
    ranked = Table("part of the ranking", "standard deviations from the mean distance of both tracks", title=title)
    for part, deviations in pair.parts.items():
        ranked.add_row(part, f"{deviations:+.2f}")
    console.print(ranked)
    ratio = f", {why.control.ratio:.2f} times the median of random pairs" if why.control.ratio is not None else ""
    console.print(f"By dynamic time warping alone: distance {why.distance:.3f}{ratio}")
    console.print(
        f"Closer than {why.control.closer_than:.1%} of {why.control.random_pairs} random pairs of the library."
    )
    apart = Table("coefficient", "meaning", "share", "closer than", title="Share of each coefficient in the distance")
    for coefficient in why.coefficients:
        apart.add_row(
            coefficient.name,
            f"{coefficient.stands_for}: {coefficient.description}",
            f"{coefficient.share:.1%}",
            f"{coefficient.closer_than:.1%} of random pairs",
        )
    console.print(apart)


def _print_published(published: "PublishedPair", console: Console) -> None:
    cepstra = Table("file", "frames", "largest difference", title="Our cepstra against the published ones")
    for track in (published.a, published.b):
        cepstra.add_row(printable(track.name), str(track.frames), f"{track.largest_difference:.1e}")
    console.print(cepstra)
    excess = published.excess
    console.print(
        f"The published distance, a sum over all coefficients: {excess.fastdtw:,.0f} by fastdtw, "
        f"{excess.exact:,.0f} exactly. fastdtw's distance is {excess.percent:.1f} % too large."
    )
