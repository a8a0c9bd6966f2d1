"""Examples of models, from the examples of their fields."""

import types
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return an example of a model as a JSON object.

    Examples
    --------
    >>> from mfcc_assets.web.api.models import Totals
    >>> example_of(Totals)
    {'tracks': 12, 'seconds': 183.4}

    Raises
    ------
    ValueError
        If a field has no example, and is no model itself.
    """
    return {field.alias or name: _of_field(name, field) for name, field in model.model_fields.items()}


def _of_field(name: str, field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    return _of_type(name, field.annotation)


def _of_type(name: str, kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example_of(kind)
    if get_origin(kind) is list:
        return [_of_type(name, get_args(kind)[0])]
    if get_origin(kind) in (Union, types.UnionType):
        return _of_type(name, get_args(kind)[0])
    for more in getattr(kind, "__metadata__", ()):
        if getattr(more, "examples", None):
            return more.examples[0]
    raise ValueError(f"the field {name} has no example")
