"""Finds complete files that follow each other in one file, as after ``cat one.wav two.wav > both.wav``.

Most decoders end where the first file declares its end, and say nothing of what follows. `links` finds streams of Ogg
and FLAC that follow each other, since these formats do not declare where they end.
"""

import struct
from collections.abc import Callable

from mfcc_assets.audio.frames import LONGEST_HEADER, Content, find_frames, frame_at
from mfcc_assets.audio.links import OGG_HEADER_BYTES, Part
from mfcc_assets.audio.signature import format_of, tag_bytes

MOST_FILES = 1_000
"""Most files that are looked for in one file."""

_MOST_PIECES = 100_000
_LONGEST_PIECE_HEADER = 24
_HEAD_BYTES = 1 << 12
_ASF_OBJECT = struct.Struct("<16xQ")
_CAF_CHUNK = struct.Struct(">4xq")
_MP4_BOX = struct.Struct(">I4s")
_WAVPACK_BLOCK = struct.Struct("<4sI4xIIII")
_WAVPACK_BEGINS_CHANNELS = 0x800
_TTA_HEADER = struct.Struct("<4sHHHIII")
_MONKEYS_AUDIO_HEADER = struct.Struct("<4sHH7I")


_MARKS_BEHIND_FLAC = ((b"OggS\0\2", 0), (b"WAVEfmt ", 8), (b"ID3\3\0", 0), (b"ID3\4\0", 0), (b"ftyp", 4))
"""Bytes of the beginnings of other formats, and how far they are from the beginning. None is there by chance."""


def files_behind(content: Content, format_name: str, start: int) -> list[tuple[str, Part]]:
    """Return the format and the part of each file in a file, the first of which begins at a position.

    Parameters
    ----------
    content
        The file.
    format_name
        Format of the first file, as `mfcc_assets.audio.signature` names it.
    start
        Its position.

    Returns
    -------
    list
        There is more than one only where one format ends by its own account and the signature of audio follows.
    """
    files: list[tuple[str, Part]] = []
    while len(files) < MOST_FILES:
        measure = _ENDS.get(format_name)
        end = (measure(content, start) if measure else None) or len(content)
        following = next_file(content, end) if start < end < len(content) else None
        if following is None:
            break
        files.append((format_name, (start, end)))
        format_name, start = following
    return [*files, (format_name, (start, len(content)))]


def next_file(content: Content, place: int) -> tuple[str, int] | None:
    """Return the format and the position of the audio file that begins at a position, behind tags; None without one."""
    while size := _bytes_of_tag(content[place : place + 32]):
        place += size
    head = content[place : place + _HEAD_BYTES]
    format_name = format_of(head)
    if format_name is None and find_frames(content, place, place + LONGEST_HEADER) == place:
        frame = frame_at(content, place)
        format_name = frame.kind.coding if frame else None
    return None if format_name is None else (format_name, place)


def _bytes_of_tag(head: bytes) -> int:
    if head[:3] == b"TAG":
        return 128
    if head[:8] == b"APETAGEX" and len(head) == 32:
        is_header = head[23] & 0x20
        return 32 + (int.from_bytes(head[12:16], "little") if is_header else 0)
    return tag_bytes(head[:10])


def _riff(content: Content, start: int) -> int:
    if content[start : start + 4] == b"RIFF":
        return start + 8 + int.from_bytes(content[start + 4 : start + 8], "little")
    return start + 8 + int.from_bytes(content[start + 20 : start + 28], "little")  # in its first chunk, "ds64"


def _iff(content: Content, start: int) -> int:
    return start + 8 + int.from_bytes(content[start + 4 : start + 8])


def _dsdiff(content: Content, start: int) -> int:
    return start + 12 + int.from_bytes(content[start + 4 : start + 12])


def _dsf(content: Content, start: int) -> int:
    return start + int.from_bytes(content[start + 12 : start + 20], "little")


def _wave64(content: Content, start: int) -> int:
    return start + int.from_bytes(content[start + 16 : start + 24], "little")


def _au(content: Content, start: int) -> int:
    offset, size = struct.unpack(">II", content[start + 4 : start + 12].ljust(8, b"\0"))
    return start + int(offset) + int(size)


def _tta(content: Content, start: int) -> int | None:
    header = content[start : start + _TTA_HEADER.size]
    if len(header) < _TTA_HEADER.size:
        return None
    *_, rate, samples, _ = _TTA_HEADER.unpack(header)
    samples_of_frame = 256 * rate // 245
    count = -(-samples // samples_of_frame) if samples_of_frame else 0
    table = start + _TTA_HEADER.size
    if not 0 < count <= (len(content) - table) // 4:
        return None
    return int(table + 4 * count + 4 + sum(struct.unpack(f"<{count}I", content[table : table + 4 * count])))


def _monkeys_audio(content: Content, start: int) -> int | None:
    header = content[start : start + _MONKEYS_AUDIO_HEADER.size]
    if len(header) < _MONKEYS_AUDIO_HEADER.size:
        return None
    _, version, _, *sizes = _MONKEYS_AUDIO_HEADER.unpack(header)
    sizes[5] <<= 32
    return start + sum(sizes) if version >= 3_980 else None


def _flac(content: Content, start: int) -> int | None:
    """Return where another format begins behind a FLAC stream, which does not declare how many bytes it has."""
    place, is_last = start + 4, False
    while not is_last and len(header := content[place : place + 4]) == 4:
        is_last = header[0] >= 0x80
        place += 4 + int.from_bytes(header[1:])
    for mark, offset in _MARKS_BEHIND_FLAC:
        found = content.find(mark, place)
        while found >= 0:
            if next_file(content, found - offset) is not None:
                return found - offset
            found = content.find(mark, found + 1)
    return None


def _ogg(content: Content, start: int) -> int:
    place = start
    while len(header := content[place : place + OGG_HEADER_BYTES]) == OGG_HEADER_BYTES and header[:5] == b"OggS\0":
        table = content[place + OGG_HEADER_BYTES : place + OGG_HEADER_BYTES + header[26]]
        place += OGG_HEADER_BYTES + len(table) + sum(table)
    return place


def _wavpack(content: Content, start: int) -> int | None:
    place, last_index = start, 0
    while len(header := content[place : place + _WAVPACK_BLOCK.size]) == _WAVPACK_BLOCK.size:
        mark, size, _, index, _, flags = _WAVPACK_BLOCK.unpack(header)
        if mark != b"wvpk" or (index == 0 and last_index > 0 and flags & _WAVPACK_BEGINS_CHANNELS):
            return place
        place, last_index = place + 8 + size, index
    return None


def _by_pieces(content: Content, place: int, size_of: Callable[[Content, int], int], begins: str) -> int | None:
    """Go from piece to piece of a container, and return where another file begins; None if there is none."""
    for _ in range(_MOST_PIECES):
        following = next_file(content, place)
        # A box of MP4 that is no file type does not begin a file here.
        if following and not (following[0] == begins == "MP4" and content[place + 4 : place + 8] != b"ftyp"):
            return place
        size = size_of(content, place) if len(content) - place >= _LONGEST_PIECE_HEADER else 0
        if size <= 0:
            return None
        place += size
    return None


def _box_bytes(content: Content, place: int) -> int:
    size, _ = _MP4_BOX.unpack(content[place : place + 8])
    return int.from_bytes(content[place + 8 : place + 16]) if size == 1 else int(size)


def _chunk_bytes(content: Content, place: int) -> int:
    (size,) = _CAF_CHUNK.unpack(content[place : place + 12])
    return 12 + int(size) if size >= 0 else 0


def _object_bytes(content: Content, place: int) -> int:
    return int(_ASF_OBJECT.unpack(content[place : place + 24])[0])


def _flash_tag_bytes(content: Content, place: int) -> int:
    return 11 + int.from_bytes(content[place + 1 : place + 4]) + 4


def _element_bytes(content: Content, place: int) -> int:
    """Return the size of an element of EBML (RFC 8794), or 0 if it is unknown."""
    name_bytes = 9 - content[place].bit_length()
    size_place = place + name_bytes
    size_bytes = 9 - content[size_place].bit_length()
    size = int.from_bytes(content[size_place : size_place + size_bytes]) & ((1 << 7 * size_bytes) - 1)
    return 0 if size == (1 << 7 * size_bytes) - 1 else name_bytes + size_bytes + size


def _pieces(size_of: Callable[[Content, int], int], begins: str, header_bytes: int = 0) -> Callable[..., int | None]:
    def end(content: Content, start: int) -> int | None:
        if len(content) < start + _LONGEST_PIECE_HEADER:
            return None
        first = header_bytes or size_of(content, start)
        return _by_pieces(content, start + first, size_of, begins) if first > 0 else None

    return end


_ENDS: dict[str, Callable[[Content, int], int | None]] = {
    "WAV": _riff,
    "AVI": _riff,
    "AIFF": _iff,
    "8SVX": _iff,
    "DSDIFF": _dsdiff,
    "DSF": _dsf,
    "Wave64": _wave64,
    "AU": _au,
    "TTA": _tta,
    "Monkey's Audio": _monkeys_audio,
    "WavPack": _wavpack,
    "Ogg": _ogg,
    "FLAC": _flac,
    "CAF": _pieces(_chunk_bytes, "CAF", 8),
    "MP4": _pieces(_box_bytes, "MP4"),
    "ASF": _pieces(_object_bytes, "ASF"),
    "Flash Video": _pieces(_flash_tag_bytes, "Flash Video", 13),
    "Matroska": _pieces(_element_bytes, "Matroska"),
}
"""Functions that return where a file of each format ends by its own account, or None if it does not say."""
