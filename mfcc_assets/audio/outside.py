"""Reads tags, pictures, excerpts and beginnings of files from outside, each in a child process under limits.

`mfcc_assets.audio.reader` does the same for the whole signal of a file.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.bounds import Bounds
from mfcc_assets.audio.child_process import answer_of_child
from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import AudioError

if TYPE_CHECKING:
    from mfcc_assets.audio.artwork import Picture
    from mfcc_assets.audio.excerpt import Excerpt

INSPECTION_BOUNDS = Bounds(cpu_seconds=5.0, waiting_seconds=60.0)
"""What reading the tags or the picture of a file may cost. They are read for each file, and matter less than audio."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inspection:
    """What a file says of itself.

    Attributes
    ----------
    tags
        The tags. All are empty if they cannot be read within the bounds.
    picture
        The embedded picture, or None if there is none, or it cannot be decoded within the bounds.
    remarks
        Sentences for people on what could not be used, and on what exceeded the bounds.
    """

    tags: Tags
    picture: "Picture | None"
    remarks: tuple[str, ...] = ()


def inspect(path: Path, subject: str = "", *, bounds: Bounds = INSPECTION_BOUNDS) -> Inspection:
    """Read the tags and the picture of a file with any content. Each may fail without the other.

    Parameters
    ----------
    path
        The file.
    subject
        Name of the file in the log. The default is the name of the path.
    bounds
        What each of the two may cost.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    from mfcc_assets.audio.artwork import Picture

    subject = subject or path.name
    remarks = []
    tags, picture = Tags(), None
    try:
        tags = _tags(path, subject, bounds)
    except AudioError as error:
        remarks.append(f"its tags are left out: {error.what}")
    try:
        answer = answer_of_child("picture", path, subject, bounds)
        if len(answer) > 1:
            picture = Picture(answer[0][1].tobytes(), answer[0][0]["media_type"])
        remarks += [f"its picture is left out: {reason}" for reason in answer[-1][0]["left_out"]]
    except AudioError as error:
        remarks.append(f"its picture is left out: {error.what}")
    for remark in remarks:
        _logger.warning("%s: %s", subject, remark)
    return Inspection(tags, picture, tuple(remarks))


def read_tags(path: Path, *, bounds: Bounds = INSPECTION_BOUNDS) -> Tags:
    """Read the tags of a file with any content. All are empty if they cannot be read within the bounds.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    try:
        return _tags(path, path.name, bounds)
    except AudioError as error:
        _logger.warning("the tags of %s are left out: %s", path.name, error.what)
        return Tags()


def cut_excerpt(
    path: Path, *, begin_seconds: float | None = None, most_bytes: int | None = None, bounds: Bounds | None = None
) -> "Excerpt":
    """Cut an excerpt out of a file, as `mfcc_assets.audio.excerpt.cut_excerpt` does, with its parameters and errors.

    Raises
    ------
    AudioError
        If no excerpt can be made, or not within the bounds.
    OSError
        If the file cannot be opened.
    """
    from mfcc_assets.audio.excerpt import MOST_BYTES, Excerpt

    most_bytes = MOST_BYTES if most_bytes is None else most_bytes
    (_, data), (facts, _) = answer_of_child(
        "excerpt", path, path.name, bounds or Bounds(), begin_seconds=begin_seconds, most_bytes=most_bytes
    )
    return Excerpt(data.tobytes(), **facts)


def read_beginning(
    path: Path, subject: str, *, seconds: float, channels: int, bounds: Bounds | None = None
) -> tuple[NDArray[np.float32], int]:
    """Decode the first seconds of a file.

    Parameters
    ----------
    path
        The file.
    subject
        Name of the file in errors.
    seconds
        Longest beginning, in seconds.
    channels
        Most channels.
    bounds
        What this may cost.

    Returns
    -------
    samples : (n, channels) float32
        The samples, as many as there are.
    sample_rate : int
        Sample rate in Hz.

    Raises
    ------
    AudioError
        If the file cannot be decoded, or not within the bounds.
    OSError
        If the file cannot be opened.
    """
    (_, samples), (facts, _) = answer_of_child(
        "beginning", path, subject, bounds or Bounds(), seconds=seconds, channels=channels
    )
    return samples.view(np.float32).reshape(-1, facts["channels"]), facts["sample_rate"]


def _tags(path: Path, subject: str, bounds: Bounds) -> Tags:
    ((fields, _),) = answer_of_child("tags", path, subject, bounds)
    return Tags(**{name: _with_tuples(value) for name, value in fields.items()})


def _with_tuples(value: Any) -> Any:
    # JSON has lists where frozen classes have tuples.
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value
