"""Tests of what all addresses for programs have in common."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.web.api.conftest import with_key
from mfcc_assets_tests.web.clients import client_of


def test_the_description_is_served_with_a_tag(programs: FlaskClient) -> None:
    response = programs.get("/api/v1/openapi.json")

    assert response.get_json()["openapi"] == "3.1.0"
    tag = {"If-None-Match": response.headers["ETag"]}
    assert programs.get("/api/v1/openapi.json", headers=tag).status_code == 304


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/", 404),
        ("POST", "/api/v1/tracks", 405),
        ("GET", "/api/v1/tracks?limit=0", 422),
        ("GET", "/api/v1/tracks?after=AAAA", 404),
        ("GET", f"/api/v1/uploads/{'0f' * 16}", 404),
        ("GET", f"/api/v1/tracks/{'0f' * 8}", 404),
        ("POST", "/api/v1/indexes/rollback", 401),
        ("DELETE", f"/api/v1/uploads/{'0f' * 16}", 403),
    ],
)
def test_every_failure_is_a_problem_whatever_the_caller_says_that_it_reads(
    programs: FlaskClient, method: str, address: str, status: int
) -> None:
    response = programs.open(address, method=method, headers={"Accept": "text/html", "Accept-Language": "zh"})

    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert response.get_json()["status"] == status
    assert response.get_json()["type"] == "about:blank"


def test_a_foreign_name_of_this_site_is_a_problem_too(programs: FlaskClient) -> None:
    response = programs.get("/api/v1/tracks", base_url="http://evil.example")

    assert (response.status_code, response.content_type) == (400, "application/problem+json")


def test_whoever_asks_too_often_is_told_when_to_come_back_and_others_are_not_refused(settings: Settings) -> None:
    with Library(settings.model_copy(update={"web_requests_per_minute": 3})) as library:
        client, key, other = client_of(library), with_key(library), with_key(library)
        statuses = [client.get("/api/v1/tracks", headers=key).status_code for _ in range(4)]
        refused = client.get("/api/v1/genres", headers=key)

        assert statuses == [200, 200, 200, 429]
        assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert client.get("/api/v1/tracks", headers=other).status_code == 200
        assert client.get("/api/v1/tracks").status_code == 200
