"""Names of blobs: which names every store accepts, and how a path from a user becomes such a name."""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

from mfcc_assets.errors import BlobNameError

LONGEST_NAME = 1024
LONGEST_SEGMENT = 255

RESERVED_SEGMENT = ".mfcc"
"""First segment that no name may have: a local container keeps its lock and its unfinished writes there."""

UNNAMED = "untitled"
_LONGEST_CLEAN_NAME = 900  # bytes; leaves room for an id and a slash before the name
_LONGEST_SUFFIX = 16
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def check_name(name: str) -> None:
    """Refuse a name that some store could not give to a blob.

    Raises
    ------
    BlobNameError
        If the name is empty or absolute, has an empty, ``.`` or ``..`` segment, a control character, a backslash or
        a character that UTF-8 cannot encode, is longer than 1,024 characters or has a segment of more than 255 bytes,
        or begins with the reserved segment.

    Examples
    --------
    >>> check_name("albums/blue/01.flac")
    """
    fault = _name_fault(name)
    if fault:
        shown = repr(name if len(name) <= 80 else f"{name[:80]}…")
        raise BlobNameError(fault, subject=f"Blob name {shown}", remedy="Rename the file")


def _name_fault(name: str) -> str:  # noqa: PLR0911  one return for each kind of fault
    segments = name.split("/")
    if not name:
        return "it is empty"
    if len(name) > LONGEST_NAME:
        return f"it has {len(name):,} characters, more than {LONGEST_NAME:,}"
    if _SURROGATE.search(name):
        return "it is not valid Unicode"
    if _CONTROL.search(name):
        return "it has a control character"
    if "\\" in name:
        return "it has a backslash"
    if name.startswith("/"):
        return "it is absolute"
    if not all(segments):
        return "it has an empty segment"
    if "." in segments or ".." in segments:
        return "it has a segment '.' or '..'"
    if any(len(segment.encode()) > LONGEST_SEGMENT for segment in segments):
        return f"it has a segment of more than {LONGEST_SEGMENT} bytes"
    # A file system that ignores case has one folder for both.
    if segments[0].casefold() == RESERVED_SEGMENT:
        return f"'{RESERVED_SEGMENT}' is reserved"
    return ""


def clean_name(path_like: str) -> str:
    """Return a name that `check_name` accepts, as close as possible to a path that a user supplied.

    Folders are kept, but not what makes a path absolute, relative or hidden. Control characters become ``_``. A segment
    that is too long keeps its beginning, a digest of the whole segment, and its suffix, so that two different long
    names stay different. A clean name is returned unchanged.

    Examples
    --------
    >>> clean_name("/home/me/../Music/.hidden/song.mp3")
    'home/me/Music/hidden/song.mp3'
    """
    visible = _SURROGATE.sub("_", _CONTROL.sub("_", unicodedata.normalize("NFC", path_like)))
    # Azure drops dots at the end of a segment, Windows also spaces. Dots at the beginning hide a file.
    stripped = (segment.strip(" .") for segment in visible.replace("\\", "/").split("/"))
    segments = [_shortened(segment) for segment in stripped if segment]
    if not segments:
        return UNNAMED
    name = "/".join(segments)
    # The limit is in bytes, as a path on Linux has at most 4,096 bytes: 1,024 emoji and the root exceed that.
    return name if len(name.encode()) <= _LONGEST_CLEAN_NAME else f"{_digest(name)}/{segments[-1]}"


def _shortened(segment: str) -> str:
    if len(segment.encode()) <= LONGEST_SEGMENT:
        return segment
    suffix = PurePosixPath(segment).suffix
    ending = f"-{_digest(segment)}"
    if len(suffix.encode()) <= _LONGEST_SUFFIX:
        ending += suffix
    return segment.encode()[: LONGEST_SEGMENT - len(ending.encode())].decode(errors="ignore") + ending


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
