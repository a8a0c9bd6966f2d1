"""Playlists from several seeds, and paths from one track to another."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, render_template

from mfcc_assets.errors import CorruptIndex, FeaturesMissing, NoPublishedIndex, PlaylistImpossible
from mfcc_assets.pipeline.playlists import Playlist, path_between, playlist_from
from mfcc_assets.storage.sql.browsing import TrackFilter
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import unaccented
from mfcc_assets.web.cards import Card, card_of
from mfcc_assets.web.exported import EXPORTED_TYPES, exported_playlist
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.library.found import choice_asked, number_asked, text_asked, tracks_named
from mfcc_assets.web.library.not_ready import words_for
from mfcc_assets.web.site import site

blueprint = Blueprint("playlists", __name__)

_MOST_SEEDS = 12
_TRACKS, _MOST_TRACKS = 20, 100
_STEPS, _MOST_STEPS = 8, 30
_FOUND = 12
_ORDERS = ("flowing", "shuffled", "title")


@dataclass(frozen=True)
class _Made:
    """The tracks of a playlist or a path, or a sentence about why there are none."""

    tracks: Sequence[Soundtrack] = ()
    cards: Sequence[Card] = ()
    instead: str = ""


@blueprint.get("/playlist")
def playlist() -> str:
    """Show the form for seeds, and the playlist that they give."""
    seeds = tracks_named("seed", _MOST_SEEDS)
    made = _from_seeds(seeds)
    search = text_asked("search")
    kept = [("count", str(_count())), ("order", _order())]
    return render_template(
        "library/playlist.html",
        seeds=[(card_of(seed), _address("/playlist", _others(seeds, seed), kept)) for seed in seeds],
        made=made,
        count=_count(),
        most=_MOST_TRACKS,
        order=_order(),
        search=search,
        found=[(card, _address("/playlist", [*_ids(seeds), card.track_id], kept)) for card in _found(search)],
        is_full=len(seeds) >= _MOST_SEEDS,
        exports=_exports("/playlist", [("seed", seed) for seed in _ids(seeds)] + kept) if made.tracks else [],
    )


@blueprint.get("/path")
def path() -> str:
    """Show the form for the ends, and the path between them."""
    ends = {name: next(iter(tracks_named(name, 1)), None) for name in ("from", "to")}
    start, end = ends["from"], ends["to"]
    made = _between(start, end) if start and end else _Made()
    search, steps = text_asked("search"), number_asked("steps", _STEPS, 2, _MOST_STEPS)
    known = [(name, track.track_id) for name, track in ends.items() if track] + [("steps", str(steps))]
    missing = "from" if not start else "to" if not end else ""
    return render_template(
        "library/path.html",
        start=card_of(start) if start else None,
        end=card_of(end) if end else None,
        made=made,
        steps=steps,
        most=_MOST_STEPS,
        search=search,
        missing=missing,
        found=[(card, f"/path?{urlencode([*known, (missing, card.track_id)])}") for card in _found(search)]
        if missing
        else [],
        without=[(name, f"/path?{urlencode([pair for pair in known if pair[0] != name])}") for name in ends],
        exports=_exports("/path", known) if made.tracks else [],
    )


@blueprint.get("/<any(playlist, path):kind>.<any(m3u8, xspf, jspf):suffix>")
def export(kind: str, suffix: str) -> Response:
    """Send a playlist or a path as a file for players. It leads to this site, so no link in it ends."""
    if kind == "playlist":
        title, made = _("Playlist"), _from_seeds(tracks_named("seed", _MOST_SEEDS))
    else:
        start, end = (next(iter(tracks_named(name, 1)), None) for name in ("from", "to"))
        title, made = _("Path"), _between(start, end) if start and end else _Made()
    if made.instead:
        abort(404, made.instead)
    return exported_playlist(kind, suffix, title, made.tracks)


def _from_seeds(seeds: Sequence[Soundtrack]) -> _Made:
    if not seeds:
        return _Made()
    try:
        opened = site().published.opened()
        with site().heavy.turn():
            made = playlist_from(site().library, opened, seeds, count=_count())
    except PlaylistImpossible:
        return _Made(instead=_("There are more seeds than tracks. Ask for more tracks, or remove a seed."))
    except (CorruptIndex, FeaturesMissing, NoPublishedIndex) as error:
        return _Made(instead=words_for(error))
    if not made.soundtracks:
        return _Made(instead=_("The library has no other tracks that could go with these."))
    order = _order()
    if order == "flowing":
        return _shown(made)
    tracks = sorted(made.soundtracks, key=_shuffled if order == "shuffled" else _by_title)
    return _Made(tracks, [card_of(track) for track in tracks])


def _between(start: Soundtrack, end: Soundtrack) -> _Made:
    steps = number_asked("steps", _STEPS, 2, _MOST_STEPS)
    try:
        opened = site().published.opened()
        with site().heavy.turn():
            made = path_between(site().library, opened, start, end, steps=steps)
        return _shown(made)
    except PlaylistImpossible:
        return _Made(instead=_("Both ends are the same recording. Choose another track for one of them."))
    except (CorruptIndex, FeaturesMissing, NoPublishedIndex) as error:
        return _Made(instead=words_for(error))


def _shown(made: Playlist) -> _Made:
    before = [None, *made.soundtracks]
    steps = zip(made.soundtracks, before, [None, *made.nearness], [None, *made.distances], strict=False)
    return _Made(
        made.soundtracks,
        [
            card_of(
                track,
                nearness=nearness,
                distance=distance,
                why=f"/tracks/{former.track_id}/why/{track.track_id}" if former else "",
            )
            for track, former, nearness, distance in steps
        ],
    )


def _by_title(track: Soundtrack) -> str:
    return unaccented(track.display_title)


def _shuffled(track: Soundtrack) -> str:
    # The file that is exported has the same order as the page.
    return hashlib.blake2b(track.track_id.encode(), digest_size=8).hexdigest()


def _count() -> int:
    return number_asked("count", _TRACKS, 1, _MOST_TRACKS)


def _order() -> str:
    return choice_asked("order", _ORDERS, _ORDERS[0])


def _ids(tracks: Sequence[Soundtrack]) -> list[str]:
    return [track.track_id for track in tracks]


def _others(tracks: Sequence[Soundtrack], without: Soundtrack) -> list[str]:
    return [track_id for track_id in _ids(tracks) if track_id != without.track_id]


def _found(search: str) -> list[Card]:
    if not search:
        return []
    return [card_of(track) for track in site().library.browsing.tracks_page(TrackFilter(search), size=_FOUND).items]


def _address(address: str, seeds: Sequence[str], kept: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode([*(('seed', seed) for seed in seeds), *kept])}"


def _exports(address: str, asked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(suffix.upper(), f"{address}.{suffix}?{urlencode(asked)}") for suffix in EXPORTED_TYPES]
