"""Which recommendations are of the query's own format or bit rate, in a library of files from many sources."""

import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import splitext
from typing import Protocol

from mfcc_assets.evaluation.metrics import OfOwnClass
from mfcc_assets.evaluation.row_metrics import RowLists, codes_of, own_class_of

_LIMITS = (80, 112, 160, 224, 288, 450)
"""Bit rates in kbit/s that divide the usual ones: 64, 96, 128, 192, 256, 320, and lossless music above."""


@dataclass(frozen=True)
class FileClass:
    """The tracks of one format, or of about one bit rate.

    Attributes
    ----------
    name
        Name of the class, for people.
    tracks
        Number of tracks in it.
    own
        How many of the recommendations of these tracks are in the same class; None if they have no recommendations.
    """

    name: str
    tracks: int
    own: OfOwnClass | None


class File(Protocol):
    """What is known of the file of a track."""

    @property
    def blob_name(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def seconds(self) -> float | None: ...


def classes_of_formats(lists: RowLists, files: Sequence[File | None]) -> list[FileClass]:
    """Return the formats of a library by the suffix of the names, the most frequent first.

    Parameters
    ----------
    lists
        Its ranked lists.
    files : (tracks,)
        The file of each track; None for tracks that do not count.
    """
    return _classes(lists, [None if file is None else format_of(file) for file in files])


def classes_of_bit_rates(lists: RowLists, files: Sequence[File | None]) -> list[FileClass]:
    """Return classes of about one bit rate, the most frequent first; the parameters are as above."""
    return _classes(lists, [None if file is None else bit_rate_of(file) or None for file in files])


def format_of(track: File) -> str:
    """Return the format of a track: the suffix of its name."""
    return splitext(track.blob_name)[1].removeprefix(".").lower() or "no suffix"


def bit_rate_of(track: File) -> str:
    """Return the class of a track's bit rate, which is its bytes for each second; empty if its length is unknown."""
    if not track.seconds:
        return ""
    place = bisect.bisect_left(_LIMITS, track.bytes * 8 / 1000 / track.seconds)
    if place == len(_LIMITS):
        return f"above {_LIMITS[-1]} kbit/s"
    return f"up to {_LIMITS[place]} kbit/s" if place == 0 else f"{_LIMITS[place - 1]} to {_LIMITS[place]} kbit/s"


def of_own_file_class(classes: list[FileClass]) -> OfOwnClass | None:
    """Return the mean over all tracks of how many recommendations are of the own class, or None if there are none."""
    found = [one.own for one in classes if one.own]
    queries = sum(own.queries for own in found)
    if not queries:
        return None
    return OfOwnClass(
        queries,
        sum(own.queries * own.same for own in found) / queries,
        sum(own.queries * own.by_chance for own in found) / queries,
    )


def _classes(lists: RowLists, classes: Sequence[str | None]) -> list[FileClass]:
    names = list(dict.fromkeys(name for name in classes if name is not None))
    own = own_class_of(lists, codes_of(classes))
    tracks = Counter(name for name in classes if name is not None)
    return [FileClass(name, number, own.get(names.index(name))) for name, number in tracks.most_common()]
