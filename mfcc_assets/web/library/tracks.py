"""The page of a track: its neighbours, why each is near, and the radio that begins from it."""

from collections.abc import Hashable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request, url_for

from mfcc_assets.errors import CorruptIndex, FeaturesMissing, NoPublishedIndex
from mfcc_assets.ids import TrackId
from mfcc_assets.pipeline.explain import explain_pair, picture_without_words
from mfcc_assets.pipeline.neighbours import neighbours
from mfcc_assets.pipeline.radio import Strictness, radio
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.browse_keys import genres_of
from mfcc_assets.storage.sql.browsing import album_id_of
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import printable
from mfcc_assets.web.cards import Card, card_of
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.library.found import choice_asked, number_asked, track_or_404
from mfcc_assets.web.library.not_ready import words_for
from mfcc_assets.web.pictures import sent_png
from mfcc_assets.web.site import site
from mfcc_assets.web.why import why_of

if TYPE_CHECKING:
    from mfcc_assets.pipeline.explain import ExplainedPair

blueprint = Blueprint("tracks", __name__)

MOST_PLAYED = 150
"""Number of played tracks that an address names. A server refuses one that is longer than 4,000 characters."""

_NEIGHBOURS = 10
_MOST_NEIGHBOURS = 160
_RADIO_TRACKS = 5
_PICTURE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class _Near:
    """The neighbours of a track, or a sentence about why there are none."""

    cards: list[Card]
    instead: str = ""


@blueprint.get("/tracks/<track_id>")
def page(track_id: str) -> str:
    """Show a track and its neighbours."""
    track = track_or_404(track_id)
    count = number_asked("count", _NEIGHBOURS, 1, _MOST_NEIGHBOURS)
    near = _near(track, count)
    more = min(2 * count, _MOST_NEIGHBOURS)
    return render_template(
        "library/track.html",
        track=track,
        card=card_of(track),
        album_id=album_id_of(track),
        genres=[printable(genre) for genre in genres_of(track.genre)],
        near=near,
        more=more if more > count and len(near.cards) == count else 0,
        strictnesses=list(Strictness),
    )


@blueprint.get("/tracks/<track_id>/why/<other_id>")
def why(track_id: str, other_id: str) -> Response:
    """Show why two tracks are near to each other."""
    track, other = track_or_404(track_id), track_or_404(other_id)
    cards = card_of(track), card_of(other)
    try:
        index = site().published.opened().index
        shown = why_of(explained(index, track, other), *cards, f"{request.path}/path.png")
    except (CorruptIndex, FeaturesMissing, NoPublishedIndex) as error:
        instead = words_for(error)
        response = make_response(render_template("library/why.html", cards=cards, why=None, instead=instead))
        response.status_code = HTTPStatus.NOT_FOUND
        return response
    return make_response(render_template("library/why.html", cards=cards, why=shown, instead=""))


@blueprint.get("/tracks/<track_id>/why/<other_id>/path.png")
def picture(track_id: str, other_id: str) -> Response:
    """Draw the path through two tracks."""
    track, other = track_or_404(track_id), track_or_404(other_id)
    index = site().published.opened().index

    def draw() -> bytes:
        pair = explained(index, track, other)
        with site().heavy.turn():
            return picture_without_words(index, pair)

    drawn = site().pictures.get_or_make(("path", *_pair_key(index, track, other)), draw)
    return sent_png(drawn, f"private, max-age={_PICTURE_SECONDS}")


@blueprint.get("/tracks/<track_id>/radio")
def next_of_radio(track_id: str) -> Response:
    """Return the next tracks of the radio that begins from a track, as JSON with ``tracks`` and ``next``.

    The address names the strictness, and in ``after`` the ids of the tracks that were played, separated by commas.
    ``next`` is the address of the tracks behind these.
    """
    track = track_or_404(track_id)
    strictness = choice_asked("strictness", list(Strictness), Strictness.BALANCED)
    played = [TrackId(text) for text in request.args.get("after", "").split(",") if text.isalnum()][-MOST_PLAYED:]
    try:
        opened = site().published.opened()
        with site().heavy.turn():
            found = radio(site().library, opened, [track], played, strictness, count=_RADIO_TRACKS)
    except (CorruptIndex, FeaturesMissing, NoPublishedIndex) as error:
        response = jsonify(tracks=[], detail=words_for(error))
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return response
    cards = [card_of(each.track, nearness=each.nearness) for each in found]
    after = ",".join([*played, *(card.track_id for card in cards)][-MOST_PLAYED:])
    following = url_for("tracks.next_of_radio", track_id=track.track_id, strictness=str(strictness), after=after)
    return jsonify(tracks=[_of_radio(card) for card in cards], next=following)


def _of_radio(card: Card) -> dict[str, Any]:
    nearness = card.nearness and card.nearness.closer_than
    return {**card.for_player, "seconds": card.seconds, "closer_than": nearness}


def _near(track: Soundtrack, count: int) -> _Near:
    try:
        opened = site().published.opened()
        with site().heavy.turn():
            found = neighbours(site().library, opened, track, count=count)
    except (CorruptIndex, FeaturesMissing, NoPublishedIndex) as error:
        return _Near([], words_for(error, track))
    why_page = f"/tracks/{track.track_id}/why"
    cards = [
        card_of(each.track, nearness=each.nearness, distance=each.distance, why=f"{why_page}/{each.track.track_id}")
        for each in found
    ]
    return _Near(cards, "" if cards else _("The library has no other track yet. Add more music to find neighbours."))


def _pair_key(index: LibraryIndex, track: Soundtrack, other: Soundtrack) -> tuple[Hashable, ...]:
    return index.version, track.audio_id, other.audio_id, track.display_title, other.display_title


def explained(index: LibraryIndex, track: Soundtrack, other: Soundtrack) -> "ExplainedPair":
    """Return why two tracks are near to each other. Raises as `mfcc_assets.pipeline.explain.explain_pair`."""

    def explain() -> "ExplainedPair":
        with site().heavy.turn():
            return explain_pair(site().library, index, track, other)

    return site().pairs.get_or_make((*_pair_key(index, track, other), track.track_id, other.track_id), explain)
