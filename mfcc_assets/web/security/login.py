"""The log-in: a proxy names the user, or a listener enters the password of the pages."""

import hashlib
import hmac
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
from mfcc_assets.web.security.passwords import is_hash, matches
from mfcc_assets.web.security.players import is_of_a_player
from mfcc_assets.web.security.rate import Rate
from mfcc_assets.web.security.targets import target_here

_ATTEMPTS = "10 per 5 minutes"
_LOGIN_SECONDS = 30 * 24 * 3600
_ENTRY = "login"
"""Name of the entry of the session that says for which password, and when, the listener has logged in."""

_OPEN = frozenset(
    {
        "/alive",
        "/ready",
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


def require_login(app: Flask, library: Library) -> None:
    """Let the app show its pages only to those who have logged in, in the way that the settings say."""
    check_login(library)
    app.session_interface = SessionsOfThisSite()
    settings = library.settings
    app.jinja_env.globals["may_log_out"] = lambda: False
    if settings.web_login == "header":
        _require_named_user(app, settings.web_login_header)
    elif settings.web_login == "password":
        _require_password(app, library)


def _is_open() -> bool:
    rule = request.url_rule.rule if request.url_rule else ""
    # Players send a key instead, which their own routes ask for.
    return rule in _OPEN or rule == _SHARED or rule.startswith(f"{_SHARED}/") or is_of_a_player()


def _require_named_user(app: Flask, header: str) -> None:
    @app.before_request
    def refuse_the_unnamed() -> None:
        # Only known proxies can have set this header: `KnownProxies` has removed it from all other requests.
        if not _is_open() and not request.headers.get(header):
            abort(HTTPStatus.FORBIDDEN, _("Nobody has logged in. Open this site by its usual address."))


def _require_password(app: Flask, library: Library) -> None:
    key = library.key_for("login")
    attempts = Rate(_ATTEMPTS)

    def generation() -> str:
        # It changes with the stored hash, so that a new one ends all sessions. No cookie tells the hash itself.
        return hashlib.blake2b(_stored_hash(library).encode(), key=key, digest_size=16).hexdigest()

    def is_logged_in() -> bool:
        entry = session.get(_ENTRY)
        if entry is None:
            return False
        made_for, at = entry
        return hmac.compare_digest(made_for, generation()) and time.time() - at < _LOGIN_SECONDS

    app.jinja_env.globals["may_log_out"] = is_logged_in

    @app.before_request
    def send_to_login() -> Response | None:
        if _is_open() or is_logged_in():
            return None
        # Scripts, players and event streams could not use the page of the log-in.
        if request.method not in ("GET", "HEAD") or "text/html" not in request.accept_mimetypes.values():
            raise Unauthorized(_("Log in first."), www_authenticate=WWWAuthenticate("form"))
        back = request.full_path.removesuffix("?")
        return redirect(url_for("log_in", back=back), HTTPStatus.SEE_OTHER)

    @app.get("/login")
    def log_in() -> str | Response:
        back = target_here(request.args.get("back", "/"))
        return redirect(back) if is_logged_in() else render_template("login.html", back=back, said="")

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
        session.permanent = True
        session[_ENTRY] = [generation(), int(time.time())]
        return redirect(back, HTTPStatus.SEE_OTHER)

    @app.post("/logout")
    def log_out() -> Response:
        # The next user of this browser gets no list of the uploads of the last one. The browser itself stays known, so
        # that its uploads can still be deleted by who has their addresses.
        session.pop(_ENTRY, None)
        session.pop("uploads", None)
        return redirect(url_for("log_in"), HTTPStatus.SEE_OTHER)


def _stored_hash(library: Library) -> str:
    name = library.settings.web_password_secret
    hashed = library.secrets.get(name)
    if not is_hash(hashed):
        raise SettingsError(
            "it is not an argon2id hash", subject=f"Secret {name}", remedy="Store what `mfcc password` prints"
        )
    return hashed
