"""What a request asks for, checked by the model that the description shows. So every declared bound is enforced."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar, get_origin

from flask import request
from pydantic import BaseModel, BeforeValidator, ValidationError
from werkzeug.exceptions import BadRequest, HTTPException, UnsupportedMediaType

from mfcc_assets.texts import printable
from mfcc_assets.web.errors import problem
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.numbers import whole_number

_Asked = TypeVar("_Asked", bound=BaseModel)


def _written_number(value: object) -> object:
    number = whole_number(value) if isinstance(value, str) else None
    return value if number is None else number


WRITTEN = BeforeValidator(_written_number)
"""Lets a number be written in an address, as digits and nothing else. It stands behind the bounds of the number."""


class _Faulty(HTTPException):
    """A request that the description does not allow."""

    code = HTTPStatus.UNPROCESSABLE_ENTITY


def asked(model: type[_Asked]) -> _Asked:
    """Return the parameters of the address. Answers the request with 422 if one of them is wrong or not known."""
    given: dict[str, Any] = {}
    lists = {field.alias or name for name, field in model.model_fields.items() if get_origin(field.annotation) is list}
    twice = []
    for name, values in request.args.lists():
        given[name] = values if name in lists else values[0]
        twice += [name] if name not in lists and len(values) > 1 else []
    if twice:
        raise _faulty([{"where": printable(name), "detail": "It is given more than once"} for name in twice])
    return _checked(model, given)


def sent(model: type[_Asked]) -> _Asked:
    """Return the JSON body of the request.

    Answers the request with 415 if it is no JSON by its type, 400 if it cannot be read, and 422 if it is wrong.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON, and say so in Content-Type.")
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise BadRequest(_("The body cannot be read as JSON.")) from error
    if not isinstance(body, dict):
        raise _faulty([{"where": "", "detail": "The body should be a JSON object"}])
    return _checked(model, body)


def _checked(model: type[_Asked], given: dict[str, Any]) -> _Asked:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _faulty([_fault(each) for each in error.errors(include_url=False, include_input=False)]) from error


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    return {"where": printable("/".join(map(str, error["loc"]))), "detail": printable(error["msg"])}


def _faulty(faults: list[dict[str, str]]) -> _Faulty:
    said = _("The request is not as the description of this address says.")
    return _Faulty(response=problem(HTTPStatus.UNPROCESSABLE_ENTITY, said, errors=faults))
