"""Refusal of requests that another site makes a listener's browser send."""

from flask import Flask, abort, request

from mfcc_assets.library import Library
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.security.keys import key_of_request
from mfcc_assets.web.security.players import is_of_a_player
from mfcc_assets.web.security.targets import split_address

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def refuse_other_sites(app: Flask, library: Library) -> None:
    """Refuse every request that changes something unless it comes from a page of this site.

    A browser says in ``Sec-Fetch-Site`` where a request comes from. An older one says it in ``Origin``, and so does
    every browser on plain HTTP to a name that is not of its own machine. A program that is no browser sends neither,
    and no site can misuse it.
    """

    @app.before_request
    def refuse() -> None:
        # A request of a player has a key in itself. No browser adds one to what another site makes it send.
        if request.method in _SAFE_METHODS or is_of_a_player() or key_of_request(library) is not None:
            return
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if site is not None:
            is_ours = site in ("same-origin", "none")
        else:
            is_ours = origin is None or split_address(origin).netloc == request.host
        if not is_ours:
            abort(403, _("Another site sent this request. Open this site itself, and try again."))
