"""What a page of the library is asked for, from its address. Wrong numbers and choices become the default ones."""

from collections.abc import Sequence
from typing import TypeVar

from flask import abort, request

from mfcc_assets.ids import TrackId
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.numbers import whole_number
from mfcc_assets.web.site import site

_Choice = TypeVar("_Choice")
_LONGEST_ID = 64


def track_or_404(track_id: str) -> Soundtrack:
    """Return a soundtrack, or answer the request with 404."""
    found = site().library.browsing.track(TrackId(track_id)) if len(track_id) <= _LONGEST_ID else None
    if found is None:
        abort(404, _("The library has no such track. It may have been removed."))
    return found


def tracks_named(name: str, most: int) -> list[Soundtrack]:
    """Return the soundtracks that a repeated part of the address names, each once. Unknown ones are left out."""
    ids = [TrackId(text) for text in dict.fromkeys(request.args.getlist(name)) if len(text) <= _LONGEST_ID]
    return site().library.browsing.tracks(ids[:most])


def number_asked(name: str, default: int, least: int, most: int) -> int:
    """Return a whole number of the address, moved into its bounds; the default if it is no number."""
    asked = whole_number(request.args.get(name, ""))
    return default if asked is None else min(max(asked, least), most)


def choice_asked(name: str, choices: Sequence[_Choice], default: _Choice) -> _Choice:
    """Return one of several choices by its text in the address."""
    asked = request.args.get(name, "")
    return next((choice for choice in choices if str(choice) == asked), default)


def text_asked(name: str, longest: int = 200) -> str:
    """Return a text of the address without spaces around it, cut to a length."""
    return request.args.get(name, "").strip()[:longest]
