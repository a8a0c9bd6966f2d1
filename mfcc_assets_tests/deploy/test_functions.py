"""The Functions app answers with the last upload, or with the upload of an id."""

import importlib.util
import json
import logging
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.library import Library
from mfcc_assets_tests.deploy.bicep_files import DEPLOY

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = DEPLOY / "functions"
UPLOAD = {
    "received": "2026-11-27T08:00:00+00:00",
    "state": "received",
    "file_name": "a.mp3",
    "run_id": "r",
    "times": {},
}


@pytest.fixture
def app(library: Library, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the app as the host does, with a library of this machine."""
    spec = importlib.util.spec_from_file_location("function_app", FOLDER / "function_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "function_app", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "open_library", lambda: library)
    return module


def called(app: ModuleType, path: str, **parameters: str) -> func.HttpResponse:
    """Call the function that the host calls for a path below /api."""
    handlers: dict[str, Callable[..., Any]] = {
        function.get_trigger().route: function.get_user_function() for function in app.app.get_functions()
    }
    request = func.HttpRequest("GET", f"/api/{path}", route_params=parameters, body=b"")
    response = handlers[path](request)
    assert isinstance(response, func.HttpResponse)
    return response


def test_the_app_answers_only_get_below_api(app: ModuleType) -> None:
    triggers = [function.get_trigger() for function in app.app.get_functions()]
    assert {trigger.route for trigger in triggers} == {"uploads/latest", "uploads/{id}"}
    assert all([method.value for method in trigger.methods] == ["GET"] for trigger in triggers)
    assert json.loads((FOLDER / "host.json").read_text())["extensions"]["http"]["routePrefix"] == "api"


def test_the_latest_upload_is_answered_with_a_link_to_itself(app: ModuleType, library: Library) -> None:
    library.documents.put("first", UPLOAD)
    library.documents.put("second", UPLOAD | {"received": "2026-11-27T09:00:00+00:00"})

    response = called(app, "uploads/latest")

    assert response.status_code == 200
    assert json.loads(response.get_body())["id"] == "second"
    assert response.headers["Link"] == '</api/uploads/second>; rel="canonical"'
    assert response.headers["Cache-Control"] == "no-store"


def test_an_upload_is_answered_by_its_id(app: ModuleType, library: Library) -> None:
    library.documents.put("first", UPLOAD)
    assert json.loads(called(app, "uploads/{id}", id="first").get_body())["file_name"] == "a.mp3"


@pytest.mark.parametrize("unknown", ["unknown", "a/b", "?", ""])
def test_an_unknown_upload_is_not_found(app: ModuleType, unknown: str) -> None:
    response = called(app, "uploads/{id}", id=unknown)
    assert response.status_code == 404
    assert set(json.loads(response.get_body())) == {"error"}


def test_there_is_no_latest_upload_before_the_first_one(app: ModuleType) -> None:
    response = called(app, "uploads/latest")
    assert response.status_code == 404
    assert response.mimetype == "application/json"


@pytest.mark.parametrize("path", ["uploads/latest", "uploads/{id}"])
def test_callers_must_try_again_while_a_store_is_away(
    app: ModuleType, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> Library:
        raise StoreError("it sleeps", subject="sql-of-the-house")

    monkeypatch.setattr(app, "open_library", fails)
    with caplog.at_level(logging.ERROR):
        response = called(app, path, id="first")

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "sql-of-the-house" not in response.get_body().decode()
    assert "sql-of-the-house" in caplog.text


def test_the_app_has_no_local_settings() -> None:
    assert not (FOLDER / "local.settings.json").exists()
