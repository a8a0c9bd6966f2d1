"""Every operation with many requests, allowed and not allowed by the description: none fails, and none is let through."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import make_key
from mfcc_assets.settings import Settings
from mfcc_assets.web.app import create_app
from mfcc_assets_tests.runs import copied_home

if TYPE_CHECKING:
    from schemathesis.schemas import BaseSchema

EXAMPLES = 12


@pytest.fixture(scope="module")
def served(up_to_date_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    home = copied_home(up_to_date_home, tmp_path_factory.mktemp("programs") / "home")
    limits = {"web_requests_per_minute": 10**6, "web_uploads_per_hour": 10**6, "web_free_gigabytes": 0}
    with Library(Settings(home=home, **limits)) as library:
        yield library


@pytest.fixture(scope="module")
def described(served: Library) -> "BaseSchema":
    app = create_app(served)
    tracks = [track.track_id for track in served.catalogue.soundtracks()]
    description = app.test_client().get("/api/v1/openapi.json").get_json()
    version = served.indexes.published_version()
    _name_real(description, tracks, version)
    schema = schemathesis.openapi.from_dict(description)
    schema.app = app
    return schema


def _name_real(description: Any, tracks: list[str], version: str) -> None:
    """Let requests name tracks and versions that there are, too, which no chance would find."""


every = schemathesis.pytest.from_fixture("described")


@every.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_fails_and_none_is_let_through_that_is_not_allowed(case: Any, served: Library) -> None:
    key = make_key(served, "boss", is_operator=True)
    case.call_and_validate(headers={"Authorization": f"Bearer {key}"})
