"""The description of the addresses for programs, as OpenAPI 3.1."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mfcc_assets.web.api.examples import example_of
from mfcc_assets.web.api.models import Problem
from mfcc_assets.web.api.operations import PLACES, Operation
from mfcc_assets.web.api.replies import JSON
from mfcc_assets.web.errors import PROBLEM

_COMMON = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS,
           HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)  # fmt: skip
"""Statuses of the problems of every operation."""

_RETRIED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_INTRODUCTION = (
    "Music recommendation from the audio itself. Send a key that `mfcc keys add` has made as `Authorization: Bearer"
    " KEY`. Where the pages need no log-in, reading needs no key either."
)
_EVENT = {
    "type": "object",
    "description": "One event of the stream",
    "properties": {
        "id": {"type": "string", "description": "Tag of the news, for `Last-Event-ID`"},
        "event": {"type": "string", "const": "news"},
        "data": {"type": "string", "contentMediaType": JSON, "description": "The state, as its own address tells it"},
    },
}
_TEMPLATE = "#/components/schemas/{model}"


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the description of operations as a JSON object."""
    paths: dict[str, dict[str, Any]] = {}
    names = set[str]()
    for operation in operations:
        # Two methods may do the same, and a name stands for one of them.
        name = f"{operation.name}_by_{operation.method.lower()}" if operation.name in names else operation.name
        names.add(name)
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, name)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mfcc_assets", "version": version("mfcc-assets"), "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key of `mfcc keys`"}},
        },
    }


def _schemas(operations: Sequence[Operation]) -> Mapping[str, Any]:
    models: dict[tuple[type[BaseModel], Any], None] = {(Problem, "validation"): None}
    for operation in operations:
        if isinstance(operation.body, type):
            models[operation.body, "validation"] = None
        if isinstance(operation.answer, type):
            models[operation.answer, "serialization"] = None
    found: Mapping[str, Any] = models_json_schema(list(models), ref_template=_TEMPLATE)[1]["$defs"]
    return found


def _described(operation: Operation, name: str) -> dict[str, Any]:
    summary, _, rest = operation.words.partition(". ")
    described: dict[str, Any] = {
        "operationId": name,
        "summary": summary.rstrip("."),
        "tags": [operation.tag],
        "parameters": [*map(_place, operation.places), *_parameters(operation.query)],
        "responses": _responses(operation),
        "security": [{"key": []}] if operation.is_for_operators else [{"key": []}, {}],
    }
    if rest:
        described["description"] = rest
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    return described


def _place(name: str) -> dict[str, Any]:
    pattern, words, example = PLACES[name]
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema, "example": example}


def _parameters(query: type[BaseModel] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = query.model_json_schema()
    found = []
    for name, part in schema["properties"].items():
        described = dict(part)
        words, examples = described.pop("description", ""), described.pop("examples", [])
        described.pop("title", None)
        # A parameter is absent or has a value; an address cannot say null.
        options = [option for option in described.pop("anyOf", []) if option != {"type": "null"}]
        if options:
            described = {**options[0], **{key: value for key, value in described.items() if value is not None}}
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": described}
        found.append({**parameter, "description": words, **({"example": examples[0]} if examples else {})})
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": operation.status.phrase}
    if operation.answer is not None:
        answer["content"] = _content(operation.answer)
    responses = {str(int(operation.status)): answer}
    if operation.has_tag:
        answer["headers"] = {"ETag": _header("Tag of the answer, for If-None-Match", "string")}
        responses["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase}
    if isinstance(operation.answer, str):
        responses["204"] = {"description": "The caller knows the last news already"}
    problems = {*_COMMON, *operation.problems}
    problems |= {HTTPStatus.NOT_FOUND} if operation.places else set()
    problems |= {HTTPStatus.UNPROCESSABLE_ENTITY} if operation.query or isinstance(operation.body, type) else set()
    problems |= {HTTPStatus.UNSUPPORTED_MEDIA_TYPE} if operation.body else set()
    problems |= {HTTPStatus.FORBIDDEN} if operation.is_for_operators or operation.method != "GET" else set()
    for status in sorted(map(HTTPStatus, problems)):
        problem: dict[str, Any] = {"description": status.phrase, "content": {PROBLEM: _problem(status)}}
        if status in _RETRIED:
            problem["headers"] = {"Retry-After": _header("Seconds until the request may be sent again", "integer")}
        responses[str(int(status))] = problem
    return responses


def _problem(status: HTTPStatus) -> dict[str, Any]:
    example = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": ""}
    return {"schema": {"$ref": _TEMPLATE.format(model=Problem.__name__)}, "example": example}


def _header(words: str, kind: str) -> dict[str, Any]:
    return {"description": words, "schema": {"type": kind}}


def _content(held: type[BaseModel] | str | Sequence[str]) -> dict[str, Any]:
    if isinstance(held, type):
        return {JSON: {"schema": {"$ref": _TEMPLATE.format(model=held.__name__)}, "example": example_of(held)}}
    if isinstance(held, str):
        return {held: {"schema": _EVENT}}
    return {kind: {"schema": {"type": "string", "contentMediaType": kind}} for kind in held}
