"""Names of blobs: what every store takes for one, and the nearest such name to a path that a user supplied."""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

from mfcc_assets.errors import BlobNameError

LONGEST_NAME = 1024
LONGEST_SEGMENT = 255

RESERVED_SEGMENT = ".mfcc"
"""No name begins with this segment: a local container keeps its lock and its unfinished writes there."""

UNNAMED = "untitled"
_LONGEST_CLEAN_NAME = 900  # an id and a slash may still be put before it
_LONGEST_SUFFIX = 16
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a blob in every store.

    Raises
    ------
    BlobNameError
        If the name is empty or absolute, has an empty, ``.`` or ``..`` segment, a control character, a backslash or
        a character that UTF-8 cannot hold, is longer than 1,024 characters or has a segment of more than 255 bytes,
        or begins with the reserved segment.
    """
    fault = _name_fault(name)
    if fault:
        shown = repr(name if len(name) <= 80 else f"{name[:80]}…")
        raise BlobNameError(fault, subject=f"Blob name {shown}", remedy="Rename the file")


def _name_fault(name: str) -> str:
    segments = name.split("/")
    if not name:
        return "it is empty"
    if len(name) > LONGEST_NAME:
        return f"it has {len(name):,} characters, and {LONGEST_NAME:,} are the most"
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
    # A file system that ignores case would take these for the same folder.
    if segments[0].casefold() == RESERVED_SEGMENT:
        return f"'{RESERVED_SEGMENT}' is reserved"
    return ""


def clean_name(path_like: str) -> str:
    """A name that `check_name` allows, as close as possible to a path that a user supplied.

    Folders are kept, without what is absolute, relative, hidden or invisible about them. A segment that is too long
    keeps its beginning, a digest of the whole and its suffix, so that two different long names stay different. A clean
    name stays as it is.
    """
    visible = _SURROGATE.sub("_", _CONTROL.sub("_", unicodedata.normalize("NFC", path_like)))
    # Azure drops dots at the end of a segment, Windows spaces too; dots at the beginning hide a file.
    stripped = (segment.strip(" .") for segment in visible.replace("\\", "/").split("/"))
    segments = [_shortened(segment) for segment in stripped if segment]
    if not segments:
        return UNNAMED
    name = "/".join(segments)
    # In bytes, not characters: 1,024 emoji and the root do not fit into the 4,096 bytes of a path on Linux.
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
