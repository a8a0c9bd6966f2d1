"""The log-in: a proxy names the user, or a listener enters the password of the pages."""

import hashlib
import hmac
import secrets
import time
from http import HTTPStatus

from flask import Flask, abort, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized
from werkzeug.wrappers import Response

from mfcc_assets.errors import SettingsError
from mfcc_assets.library import Library
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.programs import is_for_programs
from mfcc_assets.web.security.ended_sessions import EndedSessions
from mfcc_assets.web.security.keys import key_of_request, unauthorized
from mfcc_assets.web.security.passwords import is_hash, matches
from mfcc_assets.web.security.players import is_of_a_player
from mfcc_assets.web.security.rate import ATTEMPTS, Rate
from mfcc_assets.web.security.targets import target_here

_LOGIN_SECONDS = 30 * 24 * 3600
_ENTRY = "login"
"""Name of the entry of the session that says for which password, and when, the listener has logged in.

The third part is a random id, by which a log-out ends the session.
"""

_PARTS = 3
_ID_BYTES = 16

_OPEN = frozenset(
    {
        "/healthz",
        "/readyz",
        "/login",
        "/logout",
        "/language/<code>",
        "/favicon.ico",
        "/static/<path:filename>",
        "/blobs/<container>/<path:name>",
    }
)
"""Routes that need no log-in. Links to files carry a signature of their own."""

_SHARED = "/shared/<token>"
"""Beginning of the routes that show a shared answer to the holders of its link."""


class SessionsOfThisSite(SecureCookieSessionInterface):
    """Sessions in a signed cookie, which a browser sends over HTTPS only if it has got it over HTTPS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  Flask gives it
        return request.is_secure


def check_login(library: Library) -> None:
    """Check that the settings of the log-in can work.

    Raises
    ------
    SettingsError
        If no proxy is known that could name the user, or if the secret is not a hash.
    SecretNotFound
        If there is no secret with the hash of the password.
    StoreError
        If the list of ended sessions cannot be used.
    """
    settings = library.settings
    if settings.web_login == "header" and not settings.web_proxy_addresses:
        raise SettingsError(
            "no proxy is known that could name the user",
            subject="MFCC_WEB_LOGIN=header",
            remedy="Set MFCC_WEB_PROXIES to the addresses of the proxies in front of the pages",
        )
    if settings.web_login == "password":
        _stored_hash(library)
        _ended_sessions(library)


def require_login(app: Flask, library: Library) -> None:
    """Let the app show its pages only to those who have logged in, in the way that the settings say, or have a key."""
    check_login(library)
    app.session_interface = SessionsOfThisSite()
    settings = library.settings
    app.jinja_env.globals["may_log_out"] = lambda: False
    if settings.web_login == "header":
        _require_named_user(app, library)
    elif settings.web_login == "password":
        _require_password(app, library)


def _is_open() -> bool:
    rule = request.url_rule.rule if request.url_rule else ""
    # Players send a key instead, which their own routes ask for.
    return rule in _OPEN or rule == _SHARED or rule.startswith(f"{_SHARED}/") or is_of_a_player()


def _refuse_programs() -> None:
    """Refuse a request without a key and a log-in at an address for programs, which could not use a page."""
    if is_for_programs():
        raise unauthorized(_("This needs a key, or the log-in."))


def _require_named_user(app: Flask, library: Library) -> None:
    header = library.settings.web_login_header

    @app.before_request
    def refuse_the_unnamed() -> None:
        # Only known proxies can have set this header: `KnownProxies` has removed it from all other requests.
        if _is_open() or request.headers.get(header) or key_of_request(library) is not None:
            return
        _refuse_programs()
        abort(HTTPStatus.FORBIDDEN, _("Nobody has logged in. Open this site by its usual address."))


class _Sessions:
    """The sessions of listeners who have entered the password."""

    def __init__(self, library: Library) -> None:
        self._library, self._key = library, library.key_for("login")
        self._ended = _ended_sessions(library)

    def is_logged_in(self) -> bool:
        """Return whether the request belongs to one of them."""
        entry = session.get(_ENTRY, ())
        if len(entry) != _PARTS:
            return False
        made_for, at, session_id = entry
        return hmac.compare_digest(made_for, self._generation()) and self._ended.is_open(session_id, at)

    def begin(self) -> None:
        """Begin a session of the browser that sent the request."""
        session.permanent = True
        session[_ENTRY] = [self._generation(), int(time.time()), secrets.token_hex(_ID_BYTES)]

    def end(self) -> None:
        """End the session of the request, for every copy of its cookie."""
        if self.is_logged_in():
            self._ended.end(session[_ENTRY][-1])
        session.pop(_ENTRY, None)

    def _generation(self) -> str:
        # It changes with the stored hash, so that a new one ends all sessions. No cookie tells the hash itself.
        return hashlib.blake2b(_stored_hash(self._library).encode(), key=self._key, digest_size=16).hexdigest()


def _require_password(app: Flask, library: Library) -> None:
    attempts, sessions = Rate(ATTEMPTS), _Sessions(library)
    app.jinja_env.globals["may_log_out"] = sessions.is_logged_in

    @app.before_request
    def send_to_login() -> Response | None:
        if _is_open() or sessions.is_logged_in() or key_of_request(library) is not None:
            return None
        _refuse_programs()
        # Scripts, players and event streams could not use the page of the log-in.
        if request.method not in ("GET", "HEAD") or "text/html" not in request.accept_mimetypes.values():
            raise Unauthorized(_("Log in first."), www_authenticate=WWWAuthenticate("form"))
        back = request.full_path.removesuffix("?")
        return redirect(url_for("log_in", back=back), HTTPStatus.SEE_OTHER)

    @app.get("/login")
    def log_in() -> str | Response:
        back = target_here(request.args.get("back", "/"))
        return redirect(back) if sessions.is_logged_in() else render_template("login.html", back=back, said="")

    @app.post("/login")
    def check_password() -> tuple[str, int] | Response:
        if wait := attempts.take(request.remote_addr or ""):
            raise TooManyRequests(_("Too many attempts. Wait five minutes, and try again."), retry_after=wait)
        back = target_here(request.form.get("back", "/"))
        try:
            is_right = matches(request.form.get("password", ""), _stored_hash(library))
        except TimeoutError:
            abort(HTTPStatus.SERVICE_UNAVAILABLE, _("Many people are logging in. Try again in a few seconds."))
        if not is_right:
            return render_template("login.html", back=back, said=_("This is not the password.")), HTTPStatus.FORBIDDEN
        sessions.begin()
        return redirect(back, HTTPStatus.SEE_OTHER)

    @app.post("/logout")
    def log_out() -> Response:
        # The next user of this browser gets no list of the uploads of the last one. The browser itself stays known, so
        # that its uploads can still be deleted by who has their addresses.
        sessions.end()
        session.pop("uploads", None)
        return redirect(url_for("log_in"), HTTPStatus.SEE_OTHER)


def _ended_sessions(library: Library) -> EndedSessions:
    return EndedSessions(library.settings.sessions, seconds=_LOGIN_SECONDS)


def _stored_hash(library: Library) -> str:
    name = library.settings.web_password_secret
    hashed = library.secrets.get(name)
    if not is_hash(hashed):
        raise SettingsError(
            "it is not an argon2id hash", subject=f"Secret {name}", remedy="Store what `mfcc password` prints"
        )
    return hashed
