"""Leaves harmful frames out of ID3 tags, so that the others can be read.

mutagen unpacks compressed frames without a limit, copies the rest of a frame for each of its values, and reads the
frames within a chapter. So a crafted tag of 1 KB with a million empty values would keep it busy for many seconds.
"""

import io
import mmap
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from mfcc_assets.audio.signature import read_signature

_MOST_TAGS = 1_000
_MOST_FRAMES = 5_000

_MOST_BYTES = 2**16
"""Largest size in bytes of a frame that may hold several values. Such a frame has at most as many values, and mutagen
still reads them quickly."""

_MOST_BYTES_OF_TAG = 2**20
"""Largest size in bytes of all such frames of a tag, unpacked."""

_MOST_PICTURE_BYTES = 1 << 25

_PICTURES = {b"APIC", b"PIC"}
_SINGLE_VALUED = {b"GEOB", b"PRIV", b"UFID", b"GEO", b"UFI", *_PICTURES}
"""Frames that hold a single value, such as pictures and private data of other programs. They are often larger."""

_NESTING = {b"CHAP", b"CTOC"}
"""Frames that contain frames."""

_USED = _PICTURES | set(
    b"TIT2 TPE1 TPE2 TALB TCON TRCK TPOS TDRC TYER TDAT TDRL TDOR TXXX UFID"
    b" TT2 TP1 TP2 TAL TCO TRK TPA TYE TDA TXX UFI".split()
)
"""Frames that this package reads."""

_OWN_NAMED = {b"TXXX", b"TXX"}
_USED_DESCRIPTIONS = tuple(
    b"title artist performer album genre track disc date year original quodlibet:: musicbrainz".split()
)
"""Beginnings of the names of such frames. The names themselves are in `mfcc_assets.audio.tags`."""

# A tag may be at the start of an MP3, in a chunk of a WAV or AIFF, or behind the audio, so the whole file is searched.
_TAG = re.compile(rb"ID3([\x02-\x04])(.)(.)(.{4})", re.DOTALL)
_FRAME_NAME = re.compile(rb"[A-Z][A-Z0-9]{2,3}")
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_COMPRESSED = {3: 0x0080, 4: 0x0008}
_Size = Callable[[bytes], int]


@dataclass(frozen=True)
class HarmlessFile:
    """A file as it would be without the harmful frames of its ID3 tags.

    Attributes
    ----------
    file
        The open file. Everything else in it is where it was.
    container
        The same file from the byte on at which its container begins, behind leading tags and zeros.
    left_out
        Names of the frames that are left out although this package would use them, such as ``TIT2``.
    """

    file: BinaryIO
    container: BinaryIO
    left_out: tuple[str, ...]


@contextmanager
def without_harmful_frames(path: Path) -> Iterator[HarmlessFile]:
    """Open a file, and leave out the frames of its ID3 tags that are compressed and large, very long or very many.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    signature = read_signature(path)
    with path.open("rb") as file:
        replaced, left_out, end = _screened(file)
        start = min(signature.start, end) if signature else 0
        with (
            io.BufferedReader(_Replaced(file, replaced, 0, end)) as whole,
            io.BufferedReader(_Replaced(file, replaced, start, end)) as container,
        ):
            yield HarmlessFile(whole, container, tuple(dict.fromkeys(left_out)))


class _Replaced(io.RawIOBase):
    """A file from a start to an end, with other bytes of the same number in some places.

    It has no name, so that mutagen and FFmpeg recognise its format by its content. A suffix may be wrong.
    """

    def __init__(self, file: BinaryIO, replaced: list[tuple[int, bytes]], start: int, end: int) -> None:
        self._file, self._replaced, self._start, self._end, self._position = file, replaced, start, end, start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        origin = {io.SEEK_SET: self._start, io.SEEK_CUR: self._position, io.SEEK_END: self._end}[whence]
        self._position = max(self._start, origin + offset)
        return self._position - self._start

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # a raw file may take any buffer
        wanted = min(len(buffer), max(0, self._end - self._position))
        self._file.seek(self._position)
        content = bytearray(self._file.read(wanted))
        for start, other in self._replaced:
            first, last = max(start, self._position), min(start + len(other), self._position + len(content))
            if first < last:
                content[first - self._position : last - self._position] = other[first - start : last - start]
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def _screened(file: BinaryIO) -> tuple[list[tuple[int, bytes]], list[str], int]:
    """Return the replaced bytes with their offsets, the names of frames that are left out, and the end of the file."""
    size = file.seek(0, io.SEEK_END)
    if not size:
        return [], [], 0
    replaced: list[tuple[int, bytes]] = []
    left_out: list[str] = []
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        position, tags = 0, 0
        while match := _TAG.search(content, position):
            tag = _Tag.of(content, match)
            position = tag.end if tag else match.start() + 3
            if tag is None:
                continue
            tags += 1
            if tags > _MOST_TAGS:
                return replaced, left_out, match.start()
            if tag.is_harmful():
                other, names = tag.without_harm()
                replaced.append((match.start(), other))
                left_out += names
    return replaced, left_out, size


@dataclass(frozen=True)
class _Frame:
    name: bytes
    flags: int
    data: bytes

    def is_harmful(self, version: int) -> bool:
        if self.name in _NESTING or len(self.data) > self._longest:
            return True
        return self._is_packed(version) and (self.name not in _USED or self._unpacks_to_more_than(_MOST_BYTES))

    def cost(self, version: int) -> int:
        """Return the largest number of bytes that mutagen splits into values."""
        if self.name in _SINGLE_VALUED:
            return 0
        return _MOST_BYTES if self._is_packed(version) else len(self.data)

    def is_used(self) -> bool:
        if self.name not in _OWN_NAMED:
            return self.name in _USED
        description = self.data[1:64].replace(b"\x00", b"").lstrip(b"\xff\xfe").lower()
        return description.startswith(_USED_DESCRIPTIONS)

    @property
    def _longest(self) -> int:
        return _MOST_PICTURE_BYTES if self.name in _SINGLE_VALUED else _MOST_BYTES

    def _is_packed(self, version: int) -> bool:
        return bool(self.flags & _COMPRESSED.get(version, 0))

    def _unpacks_to_more_than(self, longest: int) -> bool:
        # The packed bytes may be behind a length, and may be unsynchronised. mutagen tries all of it.
        for packed in (self.data, self.data[4:]):
            for variant in {packed, _synchronised(packed)}:
                try:
                    if len(zlib.decompressobj().decompress(variant, longest + 1)) > longest:
                        return True
                except zlib.error:
                    continue
        return False


@dataclass(frozen=True)
class _Tag:
    """An ID3 tag of version 2: its header, its size in the file without the header, and its frames in bytes."""

    version: int
    header: bytes
    size: int
    end: int
    body: bytes

    @classmethod
    def of(cls, content: mmap.mmap, header: re.Match[bytes]) -> "_Tag | None":
        """Return the tag at a header, or None if no frame follows."""
        version, flags, size = header[1][0], header[3][0], _synchsafe(header[4])
        start, end = header.end(), min(header.end() + size, len(content))
        extended = content[start : start + 4]
        if flags & _EXTENDED and not _FRAME_NAME.fullmatch(extended):
            start += _synchsafe(extended) if version == 4 else 4 + _plain(extended)
        letters = 3 if version == 2 else 4
        if not _FRAME_NAME.fullmatch(content[start : start + letters]):
            return None
        body = content[start:end]
        kept_flags = flags & _UNSYNCHRONISED if version == 4 else 0
        if flags & _UNSYNCHRONISED and version < 4:
            body = _synchronised(body)
        return cls(version, header[0][:5] + bytes([kept_flags]) + header[4], end - header.end(), end, body)

    def is_harmful(self) -> bool:
        # Some programs write the sizes of version 4 like those of version 3, and mutagen guesses.
        return any(self._are_harmful(size_of) for size_of in self._sizes())

    def without_harm(self) -> tuple[bytes, list[str]]:
        """Return the tag in as many bytes, with only the frames that are used, and the names of those left out."""
        readings = [list(islice(self._frames(size_of), _MOST_FRAMES + 1)) for size_of in self._sizes()]
        frames = max(readings, key=self._likelihood)
        harmless: list[_Frame] = []
        left_out: list[str] = []
        remaining = _MOST_BYTES_OF_TAG
        for frame in filter(_Frame.is_used, frames[:_MOST_FRAMES]):
            if frame.cost(self.version) > remaining or frame.is_harmful(self.version):
                left_out.append(frame.name.decode())
            else:
                harmless.append(frame)
                remaining -= frame.cost(self.version)
        if len(frames) > _MOST_FRAMES:
            left_out.append(f"all after the {_MOST_FRAMES:,}th")
        body = b"".join(map(self._written, harmless))
        return self.header + body.ljust(self.size, b"\x00")[: self.size], left_out

    def _likelihood(self, frames: list[_Frame]) -> tuple[int, bool]:
        """Return how many known frames a reading has, and whether only zeros follow its last frame."""
        end = sum((6 if self.version == 2 else 10) + len(frame.data) for frame in frames)
        return sum(frame.name in _USED for frame in frames), not self.body[end:].strip(b"\x00")

    def _sizes(self) -> tuple[_Size, ...]:
        return (_synchsafe, _plain) if self.version == 4 else (_plain,)

    def _are_harmful(self, size_of: _Size) -> bool:
        remaining = _MOST_BYTES_OF_TAG
        for count, frame in enumerate(self._frames(size_of), start=1):
            remaining -= frame.cost(self.version)
            if count > _MOST_FRAMES or remaining < 0 or frame.is_harmful(self.version):
                return True
        return False

    def _frames(self, size_of: _Size) -> Iterator[_Frame]:
        letters, header = (3, 6) if self.version == 2 else (4, 10)
        start = 0
        while start + header <= len(self.body) and self.body[start : start + letters].strip(b"\x00"):
            name = self.body[start : start + letters]
            size = size_of(self.body[start + letters : start + 2 * letters])
            flags = struct.unpack_from(">H", self.body, start + 8)[0] if self.version > 2 else 0
            if _FRAME_NAME.fullmatch(name):
                yield _Frame(name, flags, self.body[start + header : start + header + size])
            start += header + size

    def _written(self, frame: _Frame) -> bytes:
        size = len(frame.data)
        if self.version == 2:
            return frame.name + size.to_bytes(3) + frame.data
        written = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) if self.version == 4 else size.to_bytes(4)
        return frame.name + written + struct.pack(">H", frame.flags) + frame.data


def _synchronised(data: bytes) -> bytes:
    return data.replace(b"\xff\x00", b"\xff")


def _synchsafe(size: bytes) -> int:
    """Decode a number that has seven bits in each byte."""
    number = 0
    for byte in size:
        number = number << 7 | byte & 0x7F
    return number


def _plain(size: bytes) -> int:
    return int.from_bytes(size)
