"""The addresses for programs: each is a function with what it takes and gives, from which the description is made.

No library for this was taken: those for Flask describe only JSON, and neither problems, nor files as bodies, nor
streams of events. Pydantic, which the settings use, checks the requests and makes the schemas.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeAlias

from flask import Blueprint, Response, abort
from pydantic import BaseModel

from mfcc_assets.web.api.asking import asked, sent
from mfcc_assets.web.api.models import TRACK_ID, UPLOAD_ID
from mfcc_assets.web.api.replies import reply
from mfcc_assets.web.security.keys import require_operator
from mfcc_assets.web.site import site

View: TypeAlias = Callable[..., BaseModel | Response]

_PLACE = re.compile(r"{(\w+)}")

PLACES: Mapping[str, tuple[str, str, str]] = {
    "track_id": (TRACK_ID, "Id of a track", "0f5a8c3e71d2b964"),
    "other_id": (TRACK_ID, "Id of another track", "5d0c7f12ab9e4836"),
    "upload_id": (UPLOAD_ID, "Id of an upload", "8ea2610ba03e0e7d1b8ace257ae66031"),
}
"""Form, description and example of each place in an address."""


@dataclass(frozen=True)
class Operation:
    """What one method of one address does.

    Attributes
    ----------
    name
        Name of the operation, which is that of its function.
    method
        Method of HTTP.
    path
        Address with its places in braces.
    words
        What it does, as a sentence, and perhaps more sentences behind an empty line.
    tag
        Name of the group that it belongs to.
    query
        Model of the parameters of the address; None if it has none.
    body
        Model of the JSON in the body, or the media types of a file; None if the request has no body.
    answer
        Model of the answer, or its media type; None if the answer has no content.
    status
        Status of the answer.
    problems
        Statuses of its problems, beside those that every operation has.
    is_for_operators
        Whether it needs the key of an operator.
    has_tag
        Whether its answer has an ETag. Only answers to GET have one, unless no cache may keep them.
    """

    name: str
    method: str
    path: str
    words: str
    tag: str
    query: type[BaseModel] | None
    body: type[BaseModel] | Sequence[str] | None
    answer: type[BaseModel] | str | None
    status: HTTPStatus
    problems: tuple[int, ...]
    is_for_operators: bool
    has_tag: bool

    @property
    def places(self) -> list[str]:
        """Names of the places in the address."""
        return _PLACE.findall(self.path)


@dataclass(frozen=True)
class Operations:
    """Operations that are described together.

    Attributes
    ----------
    blueprint
        The blueprint that has their addresses.
    every
        The operations, in the order of the code.
    """

    blueprint: Blueprint
    every: list[Operation] = field(default_factory=list)

    def get(self, path: str, *, tag: str, answer: type[BaseModel] | str, **more: Any) -> Callable[[View], View]:
        """Let a function answer GET. See `operation`."""
        return self.operation("GET", path, tag=tag, answer=answer, **more)

    def operation(
        self,
        method: str,
        path: str,
        *,
        tag: str,
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | Sequence[str] | None = None,
        answer: type[BaseModel] | str | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        problems: tuple[int, ...] = (),
        is_for_operators: bool = False,
        may_be_kept: bool = True,
    ) -> Callable[[View], View]:
        """Let a function do an operation.

        The function gets the values of the places by their names; the parameters as `query`, and the JSON as `body`, if
        there are models for them. It returns the model of the answer, or a response.

        Parameters
        ----------
        method, path, tag, query, body, answer, status, problems, is_for_operators
            As in `Operation`. The docstring of the function says what the operation does.
        may_be_kept
            Whether the caller may keep the answer.
        """

        def add(view: View) -> View:
            words = " ".join((view.__doc__ or "").split())
            name = view.__name__
            has_tag = may_be_kept and method == "GET" and isinstance(answer, type)
            made = Operation(
                name, method, path, words, tag, query, body, answer, status, problems, is_for_operators, has_tag
            )
            self.every.append(made)
            rule = _PLACE.sub(r"<\1>", path)
            self.blueprint.add_url_rule(rule, f"{name}_{method.lower()}", _answering(view, made), methods=[method])
            return view

        return add


def _answering(view: View, operation: Operation) -> Callable[..., Response]:
    @wraps(view)
    def answer(**values: str) -> Response:
        if operation.is_for_operators:
            require_operator(site().library)
        for name, value in values.items():
            if not re.fullmatch(PLACES[name][0].strip("^$"), value, re.ASCII):
                abort(HTTPStatus.NOT_FOUND)
        given: dict[str, Any] = dict(values)
        if operation.query is not None:
            given["query"] = asked(operation.query)
        if isinstance(operation.body, type):
            given["body"] = sent(operation.body)
        made = view(**given)
        return reply(made, operation.status) if isinstance(made, BaseModel) else made

    return answer


api = Operations(Blueprint("api", __name__))
"""All operations. The modules beside this one add theirs."""
