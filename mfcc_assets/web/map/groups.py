"""The groups by which the points of a map are coloured."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

COLOURS = 10
"""Number of groups with a colour of their own. All other tracks are grey."""

_OTHERS = "-"


@dataclass(frozen=True)
class Groups:
    """The groups of one kind, such as the artists.

    Attributes
    ----------
    names
        Names of the groups that have a colour.
    counts
        Number of tracks of each.
    codes
        One character for each track: the digit of its group, or ``-`` if it is in none of them.
    """

    names: list[str]
    counts: list[int]
    codes: str


def groups_of(labels: Sequence[str], *, by_name: bool = False) -> Groups:
    """Return the largest groups of tracks with the same label.

    Parameters
    ----------
    labels
        Label of each track; empty if it has none.
    by_name
        Sort the groups by their names, as decades are. Otherwise the largest comes first.

    Examples
    --------
    >>> groups_of(["b", "a", "", "b"])
    Groups(names=['b', 'a'], counts=[2, 1], codes='01-0')
    """
    counts = Counter(label for label in labels if label)
    names = sorted(counts, key=lambda name: (-counts[name], name))[:COLOURS]
    if by_name:
        names.sort()
    codes = {name: str(place) for place, name in enumerate(names)}
    return Groups(names, [counts[name] for name in names], "".join(codes.get(label, _OTHERS) for label in labels))


def decade(year: int | None) -> str:
    """Return the decade of a year as a label, or an empty text.

    Examples
    --------
    >>> decade(1987), decade(None)
    ('1980–1989', '')
    """
    return f"{year // 10 * 10}–{year // 10 * 10 + 9}" if year else ""
