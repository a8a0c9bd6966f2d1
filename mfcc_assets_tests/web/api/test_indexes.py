"""Tests of index versions for programs."""

import pytest
from flask.testing import FlaskClient

from mfcc_assets.errors import RightMissing
from mfcc_assets.library import Library
from mfcc_assets_tests.ranked_library import add_tracks, publish, remove_track
from mfcc_assets_tests.web.api.conftest import Headers, with_key
from mfcc_assets_tests.web.clients import client_of

PUBLISH, ROLL_BACK = "/api/v1/indexes/publish", "/api/v1/indexes/rollback"


@pytest.fixture
def versions(library: Library) -> tuple[str, str]:
    """Two versions that were published one after the other: 7 came, 6 went."""
    add_tracks(library, *range(1, 7))
    first = publish(library)[0].version
    add_tracks(library, 7)
    remove_track(library, 6)
    return first, publish(library)[0].version


@pytest.fixture
def of_versions(library: Library, versions: tuple[str, str]) -> FlaskClient:  # noqa: ARG001  they are made first
    return client_of(library)


@pytest.fixture
def boss(library: Library) -> Headers:
    return with_key(library, "boss", is_operator=True)


def states(client: FlaskClient) -> dict[str, str]:
    return {each["version"]: each["state"] for each in client.get("/api/v1/indexes").get_json()["items"]}


def test_versions_are_listed_page_by_page_the_newest_first(of_versions: FlaskClient, versions: tuple[str, str]) -> None:
    first = of_versions.get("/api/v1/indexes?limit=1")
    page = first.get_json()
    assert first.headers["Link"] == f'</api/v1/indexes?limit=1&after={versions[1]}>; rel="next"'
    assert [(each["version"], each["state"]) for each in page["items"]] == [(versions[1], "answers")]
    rest = of_versions.get(f"/api/v1/indexes?limit=1&after={page['after']}").get_json()
    assert [(each["version"], each["state"]) for each in rest["items"]] == [(versions[0], "answered")]
    assert rest["after"] is None
    assert of_versions.get("/api/v1/indexes?after=00000000").status_code == 404


def test_no_page_begins_behind_a_version_whose_description_is_damaged(
    of_versions: FlaskClient, versions: tuple[str, str], library: Library
) -> None:
    library.blobs.write("cepstra", f"indexes/{versions[0]}/index.json", b"damaged")

    response = of_versions.get(f"/api/v1/indexes?after={versions[0]}")

    assert (response.status_code, response.content_type) == (404, "application/problem+json")
    assert list(states(of_versions)) == [versions[1]]


def test_two_versions_are_compared_under_abbreviated_names(of_versions: FlaskClient, versions: tuple[str, str]) -> None:
    asked = {"first": versions[0][:8], "second": versions[1][:8], "top": 2}

    told = of_versions.get("/api/v1/indexes/diff", query_string=asked).get_json()

    assert (told["first"], told["second"], told["compared"]) == (*versions, 5)
    assert told["changed"] + told["reordered"] + told["unchanged"] == 5
    assert len(told["changes"]) == min(2, told["changed"])
    assert (len(told["only_in_first"]), len(told["only_in_second"])) == (1, 1)
    assert told["only_in_first"][0]["title"] is None, "it has left the library"


def test_an_operator_rolls_back_and_publishes_again(
    of_versions: FlaskClient, versions: tuple[str, str], boss: Headers
) -> None:
    first, second = versions

    rolled_back = of_versions.post(ROLL_BACK, headers=boss)
    assert (rolled_back.status_code, rolled_back.get_json()) == (200, {"version": first, "former": second})
    assert states(of_versions) == {first: "answers", second: "withdrawn"}
    assert of_versions.post(ROLL_BACK, headers=boss).status_code == 409

    published = of_versions.post(PUBLISH, headers=boss, json={"version": second[:6], "although_worse": True})
    assert (published.status_code, published.get_json()) == (200, {"version": second, "former": first})
    assert states(of_versions)[second] == "answers"


def test_an_incomplete_version_is_not_published(
    of_versions: FlaskClient, versions: tuple[str, str], boss: Headers
) -> None:
    refused = of_versions.post(PUBLISH, headers=boss, json={"version": versions[0]})

    assert (refused.status_code, refused.content_type) == (409, "application/problem+json")
    assert "not in the library" in refused.get_json()["detail"]
    assert of_versions.post(PUBLISH, headers=boss, json={"version": "00000000"}).status_code == 404


def test_nobody_else_changes_what_answers(
    of_versions: FlaskClient, versions: tuple[str, str], library: Library
) -> None:
    for address, body in ((PUBLISH, {"version": versions[0]}), (ROLL_BACK, {})):
        assert of_versions.post(address, json=body).status_code == 401
        assert of_versions.post(address, json=body, headers=with_key(library)).status_code == 403
    assert states(of_versions)[versions[1]] == "answers"


def test_the_quality_of_what_answers_and_of_what_answered_is_told(ten_tracks: Library, programs: FlaskClient) -> None:
    told = programs.get("/api/v1/quality").get_json()

    version = str(ten_tracks.indexes.published_version())
    assert told["index_version"] == version
    assert told["figures"] == ten_tracks.indexes.read_quality(version)
    assert [each["version"] for each in told["history"]] == [version]


def test_an_operator_is_told_where_to_publish_if_the_server_may_only_read(
    of_versions: FlaskClient, versions: tuple[str, str], boss: Headers, library: Library
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RightMissing("the storage account refuses the request", subject="cepstra/secret-place")

    for address, body, answers in (
        (ROLL_BACK, None, versions[1]),
        (PUBLISH, {"version": versions[1], "although_worse": True}, versions[0]),
    ):
        with pytest.MonkeyPatch.context() as only_read:
            only_read.setattr(library.blobs, "write", refuse)
            only_read.setattr(library.blobs, "create", refuse)
            refused = of_versions.post(address, headers=boss, json=body)

        assert (refused.status_code, refused.content_type) == (403, "application/problem+json")
        assert "Use `mfcc index`" in refused.get_json()["detail"]
        assert "secret-place" not in refused.text
        assert states(of_versions)[answers] == "answers"
        of_versions.post(ROLL_BACK, headers=boss)
