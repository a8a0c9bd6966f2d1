"""The health of the library: what it holds, what cannot be used, what is there twice, and how good its lists are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.pipeline.failure_words import words_for_failure
from mfcc_assets.pipeline.health_figures import health_figures
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.sql.records import Reject
from mfcc_assets.texts import printable
from mfcc_assets.web.cards import card_of
from mfcc_assets.web.english_words import note_in_words
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.i18n import language, translated
from mfcc_assets.web.library.not_ready import check_not_lost, words_for
from mfcc_assets.web.site import site

blueprint = Blueprint("health", __name__)

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
    index, instead = _index()
    library = site().library
    figures = site().health.get(index and index.version, lambda: health_figures(library, index))
    if not figures.count:
        check_not_lost(library)
    return render_template(
        "library/health.html",
        states=figures.states,
        count=figures.count,
        seconds=figures.seconds,
        rejects=[(printable(reject.blob_name), _reason(reject)) for reject in figures.rejects],
        reject_count=figures.reject_count,
        duplicates=[[card_of(track) for track in tracks] for tracks in figures.duplicates],
        duplicate_count=figures.duplicate_count,
        notes=[(card_of(track), note_in_words(track.every_note)) for track in figures.noted],
        index=index,
        instead=instead,
        hubs=[(card_of(track), count) for track, count in figures.hubs],
        orphans=[card_of(track) for track in figures.orphans],
        orphan_count=figures.orphan_count,
        curves=_curves(figures.quality),
    )


def _reason(reject: Reject) -> str:
    """Return why a file cannot be used. The exact reason is English, so other languages have that of its kind."""
    return printable(reject.reason) if language() == "en" else translated(words_for_failure(reject.code))


def _index() -> tuple[LibraryIndex | None, str]:
    try:
        return site().published.opened().index, ""
    except (CorruptIndex, NoPublishedIndex) as error:
        return None, words_for(error)


def _curves(measured: Sequence[Mapping[str, float | None]]) -> list[_Curve]:
    """Return the figures of the quality of indexes, the oldest first."""
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
