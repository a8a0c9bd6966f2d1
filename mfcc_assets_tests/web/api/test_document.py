"""Tests of the description."""

from typing import Any

import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from mfcc_assets.web.api.blueprints import document

ADDRESS = "urn:description"


@pytest.fixture(scope="module")
def described() -> Any:
    return document()


def of_schema(described: Any, schema: Any) -> jsonschema.Draft202012Validator:
    registry: Any = Registry().with_resource(ADDRESS, DRAFT202012.create_resource(described))
    # The references of a schema are relative to the whole description.
    return jsonschema.Draft202012Validator({"$id": ADDRESS, "$ref": "#/x", "x": schema, **described}, registry=registry)


def operations(described: Any) -> list[tuple[str, Any]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_words_a_name_of_its_own_and_problems(described: Any) -> None:
    names = [operation["operationId"] for _, operation in operations(described)]
    assert len(set(names)) == len(names) > 20
    assert [name for name in names if "_by_" in name] == ["create_upload_by_post"], "two methods send a file"
    for name, operation in operations(described):
        assert operation["summary"], name
        problems = {status: answer for status, answer in operation["responses"].items() if int(status) >= 400}
        assert {"400", "401", "429", "500", "503"} <= problems.keys(), name
        assert all(list(answer["content"]) == ["application/problem+json"] for answer in problems.values()), name
        assert "Retry-After" in problems["429"]["headers"]


def test_what_no_cache_may_keep_has_no_tag(described: Any) -> None:
    without = {
        name
        for name, operation in operations(described)
        if name.startswith("get") and "ETag" not in operation["responses"]["200"].get("headers", {})
    }
    assert without == {
        "get /api/uploads/latest", "get /api/uploads/{upload_id}", "get /api/v1/uploads/{upload_id}/events",
    }  # fmt: skip


def test_every_example_is_as_its_schema_says(described: Any) -> None:
    checked = 0
    for name, operation in operations(described):
        contents = [answer.get("content", {}) for answer in operation["responses"].values()]
        contents.append(operation.get("requestBody", {}).get("content", {}))
        shown = [media for content in contents for media in content.values() if "example" in media]
        for each in [*shown, *(part for part in operation["parameters"] if "example" in part)]:
            faults = [fault.message for fault in of_schema(described, each["schema"]).iter_errors(each["example"])]
            assert faults == [], f"{name}: {each['example']}"
            checked += 1
    assert checked > 100


def test_only_operators_need_a_key_everywhere(described: Any) -> None:
    needing = {name for name, operation in operations(described) if operation["security"] == [{"key": []}]}
    assert needing == {"post /api/v1/indexes/publish", "post /api/v1/indexes/rollback"}


def test_bounds_of_parameters_are_described(described: Any) -> None:
    parameters = {part["name"]: part for part in described["paths"]["/api/v1/tracks"]["get"]["parameters"]}
    assert (parameters["limit"]["schema"]["minimum"], parameters["limit"]["schema"]["maximum"]) == (1, 200)
    assert parameters["search"]["schema"]["maxLength"] == 200
    assert parameters["sort"]["schema"]["enum"] == ["title", "artist", "album", "year", "newest"]
    assert "anyOf" not in parameters["year"]["schema"]
