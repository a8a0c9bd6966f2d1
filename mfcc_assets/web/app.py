"""The web application."""

import hashlib
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.texts import counted, printable
from mfcc_assets.web import files
from mfcc_assets.web.api.blueprints import add_api
from mfcc_assets.web.browser_texts import browser_texts
from mfcc_assets.web.english_words import note_in_words, ranking_in_words
from mfcc_assets.web.errors import tell_errors
from mfcc_assets.web.formats import clock, megabytes, moment
from mfcc_assets.web.i18n import LANGUAGE_COOKIE, LANGUAGES, add_languages
from mfcc_assets.web.library.blueprints import BLUEPRINTS as LIBRARY_BLUEPRINTS
from mfcc_assets.web.library.tracks import MOST_PLAYED
from mfcc_assets.web.map.pages import add_map
from mfcc_assets.web.metrics import add_metrics
from mfcc_assets.web.player import waveforms
from mfcc_assets.web.probes import add_probes
from mfcc_assets.web.security.cross_site import refuse_other_sites
from mfcc_assets.web.security.headers import add_headers
from mfcc_assets.web.security.hosts import refuse_other_hosts
from mfcc_assets.web.security.keys import refuse_wrong_keys
from mfcc_assets.web.security.login import require_login
from mfcc_assets.web.security.proxies import KnownProxies
from mfcc_assets.web.security.targets import target_here
from mfcc_assets.web.site import Site, open_site
from mfcc_assets.web.subsonic.blueprint import blueprint as subsonic_blueprint
from mfcc_assets.web.uploads.blueprints import add_uploads

_YEAR_SECONDS = 365 * 24 * 3600
_LARGEST_FORM = 64 * 1024
"""Bytes of a form without a file. A route that takes a file sets its own limit."""


def create_app(library: Library) -> Flask:
    """Make the application that serves the pages of a library.

    Parameters
    ----------
    library
        The library. It stays open as long as the application is used.

    Raises
    ------
    SettingsError
        If nobody could log in with these settings.
    SecretNotFound
        If a secret is missing that the settings name.
    StoreError
        If the log-in needs the list of ended sessions, and it cannot be used.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from mfcc_assets.settings import Settings
    >>> with TemporaryDirectory() as home, Library(Settings(home=Path(home))) as library:
    ...     create_app(library).test_client().get("/healthz").text
    'alive'
    """
    settings = library.settings
    app = Flask(__name__)
    app.config.update(
        MAX_CONTENT_LENGTH=_LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=_LARGEST_FORM,
        SECRET_KEY=library.key_for("session"),
        SESSION_COOKIE_NAME="mfcc",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=_YEAR_SECONDS,
    )
    opened = Site(library)
    open_site(app, opened)
    refuse_other_hosts(app, settings.web_hosts)
    _prepare_templates(app, settings)
    add_languages(app)
    add_headers(app, _files_address(settings))
    refuse_wrong_keys(app, library)
    refuse_other_sites(app, library)
    require_login(app, library)
    tell_errors(app)
    add_probes(app, library)
    _add_common_routes(app)
    for blueprint in (files.blueprint, waveforms.blueprint, *LIBRARY_BLUEPRINTS, subsonic_blueprint):
        app.register_blueprint(blueprint)
    add_map(app, opened)
    add_uploads(app, opened)
    add_api(app, library)
    add_metrics(app, opened)
    app.wsgi_app = KnownProxies(  # type: ignore[method-assign]
        app.wsgi_app, settings.web_proxy_addresses, settings.web_login_header, settings.web_passed_paths
    )
    return app


def _files_address(settings: Settings) -> str:
    if settings.profile == "local":
        return ""
    parts = urlsplit(settings.blob_url)
    return f"{parts.scheme}://{parts.netloc}"


def _prepare_templates(app: Flask, settings: Settings) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(clock=clock, megabytes=megabytes, moment=moment, printable=printable, counted=counted)
    app.jinja_env.filters.update(note_in_words=note_in_words, ranking_in_words=ranking_in_words)
    app.jinja_env.globals.update(
        address_here=_address_here,
        asset=_asset_address,
        browser_texts=browser_texts,
        most_played=MOST_PLAYED,
        settings=settings,
        upload_limit=settings.web_upload_bytes,
    )


def _add_common_routes(app: Flask) -> None:
    @app.get("/favicon.ico")
    def favicon() -> WerkzeugResponse:
        return redirect(url_for("static", filename="icon.svg"), HTTPStatus.MOVED_PERMANENTLY)

    @app.get("/language/<code>")
    def choose_language(code: str) -> WerkzeugResponse:
        # Browsers do not say which page they come from, so its link does.
        response = redirect(target_here(request.args.get("back", "/")))
        if code in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE,
                code,
                max_age=_YEAR_SECONDS,
                secure=request.is_secure,
                httponly=True,
                samesite="Lax",
            )
        return response

    @app.get("/help")
    def keyboard_help() -> str:
        return render_template("help.html")

    @app.after_request
    def let_static_files_be_kept(response: Response) -> Response:
        if request.endpoint == "static":
            # The modules name each other without a digest, so a browser asks whether they have changed.
            kept = f"public, max-age={_YEAR_SECONDS}, immutable" if "v" in request.args else "no-cache"
            response.headers["Cache-Control"] = kept
        return response


def _address_here() -> str:
    """Return the address of the page that is shown, by which a link can lead back to it."""
    is_page = request.method in ("GET", "HEAD")
    return request.full_path.removesuffix("?") if is_page else "/"


@cache
def _digest_of_asset(name: str) -> str:
    return hashlib.blake2b((Path(__file__).parent / "static" / name).read_bytes(), digest_size=6).hexdigest()


def _asset_address(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return url_for("static", filename=name, v=_digest_of_asset(name))
