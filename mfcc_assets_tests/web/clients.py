"""A client that asks for pages in the process of a test."""

from typing import Any

from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.web.app import create_app


class ReadingClient(FlaskClient):
    """A client that reads each answer to its end, so that no file stays open."""

    def open(self, *arguments: Any, **named: Any) -> Any:
        return super().open(*arguments, **{"buffered": True, **named})


def client_of(library: Library) -> FlaskClient:
    """Return a client of the pages of a library."""
    app = create_app(library)
    app.test_client_class = ReadingClient
    return app.test_client()
