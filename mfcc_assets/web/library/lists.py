"""The lists of the library: tracks with search, filters and sorting, and its artists, albums, genres and years."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request

from mfcc_assets.storage.sql.browsing import TrackFilter, TrackOrder
from mfcc_assets.storage.sql.cursors import Page
from mfcc_assets.web.cards import SMALL_ARTWORK, card_of
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.library.found import choice_asked, text_asked
from mfcc_assets.web.library.not_ready import check_not_lost
from mfcc_assets.web.numbers import whole_number
from mfcc_assets.web.site import site

blueprint = Blueprint("library_lists", __name__)

_FILTERS = ("artist", "album", "genre", "year")
_PAGE_SIZE = 40
_GROUPS_PER_PAGE = 60
_LONGEST_PAST = 1500
"""Letters of the cursors of former pages in an address. Behind them the link to the page before leads to the first."""

_Group: TypeAlias = Mapping[str, Any]


@blueprint.get("/library")
def tracks() -> str:
    """Show a page of the tracks that are asked for."""
    browsing = site().library.browsing
    chosen, order = _chosen(), choice_asked("sort", list(TrackOrder), TrackOrder.TITLE)
    page = browsing.tracks_page(chosen, order, after=_after(), size=_PAGE_SIZE)
    if not page.items:
        check_not_lost(site().library)
    asked = {name: text_asked(name) for name in ("search", *_FILTERS, "sort")}
    return render_template(
        "library/tracks.html",
        cards=[card_of(track) for track in page.items],
        totals=browsing.totals(chosen),
        asked=asked,
        order=order,
        filters=_shown_filters(asked),
        is_filtered=chosen != TrackFilter(),
        **_turning("/library", asked, page),
    )


@blueprint.get("/library/<any(artists, albums, genres, years):kind>")
def groups(kind: str) -> str:
    """Show a page of the artists, albums, genres or years, with the number of their tracks."""
    page = _PAGES_OF_GROUPS[kind](_after())
    if not page.items:
        check_not_lost(site().library)
    return render_template(
        "library/groups.html",
        kind=kind,
        groups=[_SHOWN[kind](item) for item in page.items],
        **_turning(f"/library/{kind}", {}, page),
    )


def _chosen() -> TrackFilter:
    asked = text_asked("year")
    year = whole_number(asked)
    if asked and year is None:
        abort(404, _("A year is a number."))
    return TrackFilter(
        search=text_asked("search"),
        artist=text_asked("artist"),
        album=text_asked("album", longest=4096),
        genre=text_asked("genre"),
        year=year,
    )


def _after() -> str | None:
    return request.args.get("after") or None


def _shown_filters(asked: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the name, the value and the address without it of each filter that is set."""
    names = {"artist": _("Artist"), "album": _("Album"), "genre": _("Genre"), "year": _("Year")}
    return [
        (names[name], _shown_value(name, asked[name]), _address("/library", {**asked, name: ""}))
        for name in _FILTERS
        if asked[name]
    ]


def _shown_value(name: str, value: str) -> str:
    if name != "album":
        return value
    album = site().library.browsing.album(value)
    return album.title if album else _("an album that is gone")


def _turning(path: str, asked: Mapping[str, str], page: Page[Any]) -> dict[str, str]:
    """Return the addresses of the pages before and behind this one; empty if there is none."""
    past, here = _kept(request.args.getlist("past")), request.args.get("after", "")
    before = after = ""
    if page.after:
        after = _address(path, asked, [*past, here] if here else [], page.after)
    if here:
        before = _address(path, asked, past[:-1], past[-1]) if past else _address(path, asked)
    return {"before": before, "behind": after}


def _kept(past: Sequence[str]) -> Sequence[str]:
    """Return the last cursors that fit in an address. A server refuses one that is longer than 4,000 letters."""
    while sum(map(len, past)) > _LONGEST_PAST:
        past = past[1:]
    return past


def _address(path: str, asked: Mapping[str, str], past: Sequence[str] = (), after: str = "") -> str:
    parts = [(name, value) for name, value in asked.items() if value]
    parts += [("past", cursor) for cursor in _kept(past)]
    parts += [("after", after)] if after else []
    return f"{path}?{urlencode(parts)}" if parts else path


_PAGES_OF_GROUPS: Mapping[str, Callable[[str | None], Page[Any]]] = {
    "artists": lambda after: site().library.browsing.artists(after=after, size=_GROUPS_PER_PAGE),
    "albums": lambda after: site().library.browsing.albums(after=after, size=_GROUPS_PER_PAGE),
    "genres": lambda after: site().library.browsing.genres(after=after, size=_GROUPS_PER_PAGE),
    "years": lambda after: site().library.browsing.years(after=after, size=_GROUPS_PER_PAGE),
}

_SHOWN: Mapping[str, Callable[[Any], _Group]] = {
    "artists": lambda item: _group(item, item.name, {"artist": item.name, "sort": "album"}, item.track_id),
    "albums": lambda item: _group(
        item, item.title, {"album": item.album_id, "sort": "album"}, item.track_id, (item.artist, item.year)
    ),
    "genres": lambda item: _group(item, item.name, {"genre": item.name}),
    "years": lambda item: _group(item, str(item.year), {"year": str(item.year), "sort": "album"}),
}


def _group(
    item: Any, name: str, asked: Mapping[str, str], track_id: str = "", further: Sequence[object] = ()
) -> _Group:
    return {
        "name": name,
        "address": _address("/library", asked),
        "artwork": f"/tracks/{track_id}/artwork?size={SMALL_ARTWORK}" if track_id else "",
        "further": [str(text) for text in further if text],
        "totals": item.totals,
    }
