"""A site with pages that use everything that the player offers to pages."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from flask import Flask, jsonify, redirect, render_template_string, request
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.app import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PAGE = """
{% extends "base.html" %}
{% block title %}Trial{% endblock %}
{% block content %}
<h1>Trial</h1>
<p><label>Words <input id="words" type="search" name="search"></label></p>
<ol class="tracks" data-queue>
  {% for track in tracks %}
  <li data-track="{{ track | tojson | forceescape }}">
    <button type="button" data-action="play">Play</button>
    <button type="button" class="quiet" data-action="queue">Later</button>
    <a href="/help">{{ track.title }}</a>
    <div data-behaviour="waveform" data-waveform="{{ track.waveform }}" data-seconds="{{ track.seconds }}"
      data-spans='[{"from": 0.5, "to": 1, "number": 1}]'></div>
  </li>
  {% endfor %}
</ol>
{% for number in (1, 2) %}
<button type="button" data-action="stretches" data-number="{{ number }}"
  data-stretches="{{ stretches | tojson | forceescape }}">Pair {{ number }}</button>
{% endfor %}
<button type="button" data-action="radio" data-radio="/trial/radio">Radio</button>
{% endblock %}
"""

RADIO_TRACKS = 3


_RESPONSE = "trial_site.response"


class _Handler(WSGIRequestHandler):
    """Keeps connections open, as the real server does, and is silent."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        pass

    def connection_dropped(self, error: BaseException, environ: "WSGIEnvironment | None" = None) -> None:
        # Without this, the file of a response stays open when the browser breaks off a request.
        if environ and _RESPONSE in environ:
            environ[_RESPONSE].close()
        super().connection_dropped(error, environ)


def _with_known_responses(app: "WSGIApplication") -> "WSGIApplication":
    """Make an app whose response stands in the environment of the request, where `_Handler` finds it."""

    def respond(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        response = environ[_RESPONSE] = app(environ, start_response)
        return response

    return respond


class TrialSite:
    """The pages of a library, and the page ``/trial``.

    Attributes
    ----------
    link_seconds
        How long the links to audio last.
    links_made
        Number of links to audio that were made.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.link_seconds = 60
        self.links_made = 0
        self.app = create_app(library)
        self._add_pages(self.app)

    def tracks(self) -> list[dict[str, object]]:
        """Return the tracks as pages give them to the player."""
        return [_for_player(track) for track in self.library.catalogue.soundtracks()]

    def _add_pages(self, app: Flask) -> None:
        @app.get("/trial")
        def trial() -> str:
            tracks = self.tracks()[:3]
            first, second = tracks[:2]
            stretches = [
                {"audio": first["audio"], "from": 1.0, "to": 1.5, "name": "A"},
                {"audio": second["audio"], "from": 0.5, "to": 1.0, "name": "B"},
            ]
            return render_template_string(_PAGE, tracks=tracks, stretches=stretches)

        @app.get("/trial/radio")
        def radio() -> Response:
            played = request.args.get("after", "").split(",")
            left = [track for track in self.tracks() if track["id"] not in played]
            return jsonify(tracks=left[:RADIO_TRACKS], next="/trial/radio")

        @app.get("/trial/audio/<track_id>")
        def audio(track_id: str) -> Response:
            track = self.library.browsing.track(track_id)  # type: ignore[arg-type]
            assert track is not None
            self.links_made += 1
            return redirect(self.library.blobs.link("soundtracks", track.blob_name, seconds=self.link_seconds))


def _for_player(track: Soundtrack) -> dict[str, object]:
    return {
        "id": track.track_id,
        "title": track.display_title,
        "artist": track.artist or "Somebody",
        "audio": f"/trial/audio/{track.track_id}",
        "artwork": "",
        "waveform": f"/tracks/{track.track_id}/waveform",
        "page": "/help",
        "seconds": track.seconds,
    }


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an app in a thread until the end of the ``with``, and yield its address."""
    server = make_server("127.0.0.1", 0, _with_known_responses(app), threaded=True, request_handler=_Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
