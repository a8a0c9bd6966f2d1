"""Finds harmful ID3 tags before mutagen reads them.

mutagen unpacks compressed frames without a limit, and copies the rest of a frame for each of its values. So a crafted
tag of 1 KB with a million empty values would keep it busy for many seconds.
"""

import mmap
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

_MOST_TAGS = 20
_MOST_FRAMES = 5_000

_MOST_BYTES = 2**16
"""Largest size in bytes of a frame that may hold several values. Such a frame has at most as many values, and mutagen
still reads them quickly."""

_SINGLE_VALUED = {b"APIC", b"GEOB", b"PRIV", b"PIC", b"GEO"}
"""Frames that hold a single value, such as pictures and private data of other programs. They are often larger."""

# A tag may be at the start of an MP3, in a chunk of a WAV or AIFF, or behind the audio, so the whole file is searched.
_TAG = re.compile(rb"ID3([\x02-\x04]).(.)(.{4})", re.DOTALL)
_FRAME_NAME = re.compile(rb"[A-Z][A-Z0-9]{2,3}")
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_COMPRESSED = {3: 0x0080, 4: 0x0008}
_Size = Callable[[bytes], int]


def is_harmless(path: Path) -> bool:
    """Return True if no ID3 tag of a file has compressed frames, very long frames or very many frames.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    with path.open("rb") as file:
        if not file.read(1):
            return True
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if sum(1 for _ in islice(_TAG.finditer(content), _MOST_TAGS + 1)) > _MOST_TAGS:
                return False
            return all(_is_harmless_tag(content, tag) for tag in _TAG.finditer(content))


def _is_harmless_tag(content: mmap.mmap, tag: re.Match[bytes]) -> bool:
    version, flags = tag[1][0], tag[2][0]
    start = tag.end()
    extended = content[start : start + 4]
    if flags & _EXTENDED and not _FRAME_NAME.fullmatch(extended):
        start += _synchsafe(extended) if version == 4 else 4 + _plain(extended)
    body = content[start : start + _synchsafe(tag[3])]
    if flags & _UNSYNCHRONISED and version < 4:
        body = body.replace(b"\xff\x00", b"\xff")
    # Some programs write the sizes of version 4 like those of version 3, and mutagen guesses. So both must be harmless.
    encodings = (_synchsafe, _plain) if version == 4 else (_plain,)
    return all(
        _are_harmless(islice(_frames(body, version, size_of), _MOST_FRAMES + 1), version) for size_of in encodings
    )


def _are_harmless(frames: Iterable[tuple[bytes, int, int]], version: int) -> bool:
    for count, (name, size, flags) in enumerate(frames, start=1):
        is_compressed = flags & _COMPRESSED.get(version, 0)
        is_long = size > _MOST_BYTES and name not in _SINGLE_VALUED
        if count > _MOST_FRAMES or (_FRAME_NAME.fullmatch(name) and (is_compressed or is_long)):
            return False
    return True


def _frames(body: bytes, version: int, size_of: _Size) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, size in bytes and flags of each frame."""
    letters, header = (3, 6) if version == 2 else (4, 10)
    start = 0
    while start + header <= len(body) and body[start : start + letters].strip(b"\x00"):
        name = body[start : start + letters]
        size = size_of(body[start + letters : start + 2 * letters])
        flags = struct.unpack_from(">H", body, start + 8)[0] if version > 2 else 0
        yield name, min(size, len(body) - start - header), flags
        start += header + size


def _synchsafe(size: bytes) -> int:
    """Decode a number that has seven bits in each byte."""
    number = 0
    for byte in size:
        number = number << 7 | byte & 0x7F
    return number


def _plain(size: bytes) -> int:
    return int.from_bytes(size)
