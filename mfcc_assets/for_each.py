"""The port through which the science applies a function to many items: one after the other, or on several cores.

`in_turn` needs nothing else. `mfcc_assets.compute.local` has one that uses all cores.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class ForEach(Protocol):
    """A function that applies another function to every item, and yields the items with their results in any order."""

    def __call__(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item], /
    ) -> Iterator[tuple[_Item, _Result]]: ...


def in_turn(function: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterator[tuple[_Item, _Result]]:
    """Apply a function to one item after the other.

    Examples
    --------
    >>> list(in_turn(abs, [-1, 2]))
    [(-1, 1), (2, 2)]
    """
    return ((item, function(item)) for item in items)
