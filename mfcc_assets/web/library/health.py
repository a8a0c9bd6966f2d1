"""The health of the library: what it holds, what cannot be used, what is there twice, and how good its lists are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.ids import TrackId
from mfcc_assets.pipeline.library_report import describe_library, occurrences_of
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import printable
from mfcc_assets.web.cards import Card, card_of
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.library.not_ready import check_not_lost, words_for
from mfcc_assets.web.site import site

blueprint = Blueprint("health", __name__)

_SHOWN = 50
"""Number of entries of each list that the page shows. A longer list is counted."""

_HUBS = 10
_MOST_VERSIONS = 30
_FIGURES = ("at_5", "other_albums_at_5", "hit_at_5", "never_recommended", RECALL)

# Geometry of the drawing of the quality, in its own units.
_LEFT, _RIGHT, _TOP, _BOTTOM = 10.0, 590.0, 10.0, 190.0


@dataclass(frozen=True)
class _Curve:
    """A figure of the quality over the published indexes.

    Attributes
    ----------
    name
        The figure in words.
    points
        Its points as SVG has them; several lists where indexes lack the figure in between.
    last
        Its last value.
    """

    name: str
    points: Sequence[Sequence[tuple[float, float]]]
    last: float


@blueprint.get("/health")
def page() -> str:
    """Show the health of the library."""
    library = site().library
    report = describe_library(library)
    if not report.soundtracks:
        check_not_lost(library)
    rejects = [reject for reject in library.catalogue.rejects() if reject.container == SOUNDTRACKS]
    by_name = {track.blob_name: track for track in report.soundtracks}
    index, instead = _index()
    hubs, orphans = _popularity(index, {track.track_id: track for track in report.soundtracks}) if index else ([], [])
    return render_template(
        "library/health.html",
        states=report.states,
        count=len(report.soundtracks),
        seconds=sum(track.seconds or 0.0 for track in report.soundtracks),
        rejects=[(printable(reject.blob_name), printable(reject.reason)) for reject in rejects[:_SHOWN]],
        reject_count=len(rejects),
        duplicates=[[card_of(by_name[name]) for name in names] for names in report.duplicates[:_SHOWN]],
        duplicate_count=len(report.duplicates),
        notes=[(card_of(track), printable(track.every_note)) for track in _noted(report.soundtracks)[:_SHOWN]],
        index=index,
        instead=instead,
        hubs=hubs,
        orphans=orphans[:_SHOWN],
        orphan_count=len(orphans),
        curves=_curves(),
    )


def _index() -> tuple[LibraryIndex | None, str]:
    try:
        return site().published.opened().index, ""
    except (CorruptIndex, NoPublishedIndex) as error:
        return None, words_for(error)


def _popularity(index: LibraryIndex, tracks: Mapping[TrackId, Soundtrack]) -> tuple[list[tuple[Card, int]], list[Card]]:
    """Return the tracks in the most lists of five, with the number of lists, and the tracks in none."""
    counted = [
        (tracks[TrackId(track_id)], count)
        for track_id, count in zip(index.tracks.track_ids, occurrences_of(site().library, index).tolist(), strict=True)
        if track_id in tracks
    ]
    hubs = sorted((hub for hub in counted if hub[1]), key=lambda hub: (-hub[1], hub[0].display_title))[:_HUBS]
    orphans = sorted((track for track, count in counted if not count), key=lambda track: track.display_title)
    return [(card_of(track), count) for track, count in hubs], [card_of(track) for track in orphans]


def _noted(tracks: Sequence[Soundtrack]) -> list[Soundtrack]:
    return [track for track in tracks if track.every_note and not track.is_rejected]


def _curves() -> list[_Curve]:
    """Return the figures of the last published indexes, the oldest first."""
    indexes = site().library.indexes
    try:
        versions = [publication.version for publication in indexes.history()][-_MOST_VERSIONS:]
    except CorruptIndex:
        return []
    measured = [indexes.read_quality(version) for version in versions]
    return [
        _Curve(words, points, last)
        for figure, words in _figure_words().items()
        if (points := _points([one.get(figure) for one in measured]))
        and (last := next((one[figure] for one in reversed(measured) if one.get(figure) is not None), None)) is not None
    ]


def _figure_words() -> Mapping[str, str]:
    said = (
        _("same artist among the first five"),
        _("same artist, without the own album"),
        _("lists of five with the same artist"),
        _("tracks that no list has"),
        _("nearest tracks that the search finds"),
    )
    return dict(zip(_FIGURES, said, strict=True))


def _points(values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    step = (_RIGHT - _LEFT) / max(1, len(values) - 1)
    pieces: list[list[tuple[float, float]]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            x = _LEFT + step * number if len(values) > 1 else (_LEFT + _RIGHT) / 2
            pieces[-1].append((round(x, 1), round(_BOTTOM - (_BOTTOM - _TOP) * min(max(value, 0.0), 1.0), 1)))
    return [piece for piece in pieces if piece]
