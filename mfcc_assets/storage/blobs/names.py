"""Names of blobs: which names every store accepts, and how a file's name or a user's path becomes such a name.

A file on a disk can have any bytes in its name. Bytes that no other store accepts are replaced by stand-ins: characters
of a private range of Unicode, one for each byte. So every file has a name of its own, from which its bytes are found.
"""

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

_FIRST_STAND_IN = 0x10FE00
_STAND_INS = re.compile("[\U0010fe00-\U0010feff]+")
# Python decodes bytes that are not UTF-8 as surrogates from U+DC80 on.
_REPLACED = re.compile("[\x01-\x1f\x7f-\x9f\\\\\udc80-\udcff\U0010fe00-\U0010feff]")
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def check_name(name: str) -> None:
    """Refuse a name that some store could not give to a blob.

    Raises
    ------
    BlobNameError
        If the name is empty or absolute, has an empty, ``.`` or ``..`` segment, a control character, a backslash, a
        stand-in for a byte that needs none, or a character that UTF-8 cannot encode, is longer than 1,024 characters or
        has a segment of more than 255 bytes, or begins with the reserved segment.

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
    if _STAND_INS.search(name) and name_of_file(file_of_name(name)) != name:
        return "it has a character that stands for a byte which needs none"
    if any(_bytes_on_disk(segment) > LONGEST_SEGMENT for segment in segments):
        return f"it has a segment of more than {LONGEST_SEGMENT} bytes"
    # A file system that ignores case has one folder for both.
    if segments[0].casefold() == RESERVED_SEGMENT:
        return f"'{RESERVED_SEGMENT}' is reserved"
    return ""


def name_of_file(path: str) -> str:
    r"""Return the name of the blob for a path on a disk, in which each byte that stores refuse has a stand-in.

    Examples
    --------
    >>> ascii(name_of_file("caf\udce9/AC\\DC.mp3"))
    "'caf\\U0010fee9/AC\\U0010fe5cDC.mp3'"
    """
    return _REPLACED.sub(_stand_ins, path)


def file_of_name(name: str) -> str:
    r"""Return the path on a disk of a blob. It is the inverse of `name_of_file`.

    Examples
    --------
    >>> file_of_name(name_of_file("caf\udce9/AC\\DC.mp3")) == "caf\udce9/AC\\DC.mp3"
    True
    """
    return _STAND_INS.sub(_bytes_of_stand_ins, name)


def shown_name(name: str) -> str:
    r"""Return the name of a blob or a file for people, in which everything can be seen.

    Bytes that are no text, control characters and characters that change the direction of writing are shown as
    ``\x…`` or ``\u…``.

    Examples
    --------
    >>> print(shown_name(name_of_file("caf\udce9\n.mp3")))
    caf\xe9\x0a.mp3
    """
    return _HIDDEN.sub(_escape, file_of_name(name))


def _stand_ins(replaced: re.Match[str]) -> str:
    return "".join(chr(_FIRST_STAND_IN + byte) for byte in replaced[0].encode(errors="surrogateescape"))


def _bytes_of_stand_ins(run: re.Match[str]) -> str:
    return bytes(ord(character) - _FIRST_STAND_IN for character in run[0]).decode(errors="surrogateescape")


def _escape(hidden: re.Match[str]) -> str:
    code = ord(hidden[0])
    is_byte = code <= 0xFF or 0xDC80 <= code <= 0xDCFF
    return f"\\x{code & 0xFF:02x}" if is_byte else f"\\u{code:04x}"


def _bytes_on_disk(segment: str) -> int:
    return len(file_of_name(segment).encode(errors="surrogateescape"))


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
    visible = path_like.replace("\\", "/")
    for unwanted in (_CONTROL, _SURROGATE, _STAND_INS):
        visible = unwanted.sub("_", visible)
    return _cleaned(visible)


def clean_name_of_file(path: str) -> str:
    r"""Return a clean name for a file on a disk, from which its own name is found with `file_of_name`.

    It differs from `clean_name` in what only a path from elsewhere may mean: a backslash, a control character and a
    byte that is no text belong to the name of a file on this disk, so they have stand-ins.

    Examples
    --------
    >>> clean_name_of_file("/music/AC\\DC.mp3") == name_of_file("music/AC\\DC.mp3")
    True
    """
    return _cleaned(name_of_file(path))


def _cleaned(path: str) -> str:
    # Azure drops dots at the end of a segment, Windows also spaces. Dots at the beginning hide a file.
    stripped = (segment.strip(" .") for segment in unicodedata.normalize("NFC", path).split("/"))
    segments = [_shortened(segment) for segment in stripped if segment]
    if not segments:
        return UNNAMED
    name = "/".join(segments)
    # The limit is in bytes, as a path on Linux has at most 4,096 bytes: 1,024 emoji and the root exceed that.
    return name if len(name.encode()) <= _LONGEST_CLEAN_NAME else f"{_digest(name)}/{segments[-1]}"


def _shortened(segment: str) -> str:
    if _bytes_on_disk(segment) <= LONGEST_SEGMENT:
        return segment
    suffix = PurePosixPath(segment).suffix
    ending = f"-{_digest(segment)}"
    if len(suffix.encode()) <= _LONGEST_SUFFIX:
        ending += suffix
    return segment.encode()[: LONGEST_SEGMENT - len(ending.encode())].decode(errors="ignore") + ending


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
