"""Cursors: texts for addresses of pages that mark the place in a list where the next page begins."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Generic, TypeVar

from mfcc_assets.errors import NotACursor

_Item = TypeVar("_Item")
_LONGEST_CURSOR = 4096


@dataclass(frozen=True)
class Page(Generic[_Item]):
    """A part of a list.

    Attributes
    ----------
    items
        The items of this page.
    after
        Cursor of the next page. None if no item follows.
    """

    items: list[_Item]
    after: str | None


def cursor_of(kind: str, *place: str | int) -> str:
    """Return a cursor, which has only letters, digits, "-" and "_".

    Parameters
    ----------
    kind
        Name of the list and its order.
    place
        What its order compares, of the last item before the place.

    Examples
    --------
    >>> place_of(cursor_of("title", "ocean", "0f"), "title", str, str)
    ('ocean', '0f')
    """
    return to_address(json.dumps([kind, *place], ensure_ascii=False))


def place_of(cursor: str, kind: str, *types: type[str | int]) -> tuple[str | int, ...]:
    """Return the place that a cursor marks.

    Raises
    ------
    NotACursor
        If `cursor_of` did not make the text for a list of this kind with values of these types.
    """
    try:
        made_for, *place = json.loads(from_address(cursor))
    except (ValueError, TypeError, RecursionError) as error:
        raise not_a_cursor() from error
    if made_for != kind or [type(value) for value in place] != list(types) or not all(map(_can_be_asked_for, place)):
        raise not_a_cursor()
    return tuple(place)


def to_address(text: str) -> str:
    """Return a text as it is written in an address."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def from_address(written: str) -> str:
    """Return the text that `to_address` wrote. Raises ValueError if there is none."""
    if len(written) > _LONGEST_CURSOR:
        raise ValueError("the text is too long for an address")
    text = urlsafe_b64decode(written.encode("ascii") + b"=" * (-len(written) % 4)).decode()
    if to_address(text) != written:
        raise ValueError("the text has other characters than an address")
    return text


def _can_be_asked_for(value: str | int) -> bool:
    """Return whether every database takes this value as a parameter."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return abs(value) < 2**31


def not_a_cursor() -> NotACursor:
    """Return the error for a text that marks no place in a list."""
    return NotACursor("the address marks no place in this list", remedy="Begin with the first page of the list")
