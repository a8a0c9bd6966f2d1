"""How a function is applied to many items: one after the other, or on as many cores as the caller has."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class ForEach(Protocol):
    """Applies a function to every item, and yields each item with its result, in any order."""

    def __call__(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item], /
    ) -> Iterator[tuple[_Item, _Result]]: ...


def in_turn(function: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterator[tuple[_Item, _Result]]:
    """Apply a function to one item after the other."""
    return ((item, function(item)) for item in items)
