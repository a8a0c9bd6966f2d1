"""Finds complete files and streams that follow each other in one file, as after ``cat one.wav two.wav > both.wav``.

Radio stations record such streams, with other tags and sometimes another sample rate for each piece of music. Ogg calls
them the links of a chain. Most decoders end where the first file ends, and say nothing of what follows.
"""

import re
import struct
from collections.abc import Callable, Iterator
from typing import Literal

from mfcc_assets.audio.frames import (
    FRAME_FORMATS,
    LONGEST_HEADER,
    Content,
    Part,
    Run,
    find_frames,
    frame_at,
    runs_of_frames,
)
from mfcc_assets.audio.signature import format_of, tag_bytes

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

_OGG_HEADER_BYTES = 27
"""Bytes of the header of a page in Ogg, without the table of its segments."""

_OGG_FIRST_PAGE, _OGG_LAST_PAGE = 0x02, 0x04

_BEGINNINGS = re.compile(
    b"|".join(
        (
            rb"fLaC[\x00\x80]\x00\x00\x22",
            rb"OggS\x00\x02",
            rb"RIFF.{4}WAVEfmt ",
            rb"ID3[\x03\x04]\x00",
            rb"\x00\x00\x00[\x08-\xff]ftyp[ -~]{4}",
            rb"FORM.{4}AIF[FC]",
            rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
            rb"\x1a\x45\xdf\xa3.{0,60}(?:matroska|webm)",
            rb"wvpk.{4}[\x02-\x10]\x04",
            rb"caff\x00\x01\x00\x00",
            rb"TTA1[\x01-\x03]\x00",
            rb"\.RMF\x00\x00\x00",
            rb"Creative Voice File\x1a",
            rb"#!AMR(?:-WB)?\n",
        )
    ),
    re.DOTALL,
)
"""Beginnings of files, each of at least five bytes. Fewer bytes are there by chance in one of a hundred long files."""

_FRAMES_BEHIND_OTHERS = 50
"""Frames without a container that must follow each other before they count as a stream within another format. Those of
silence in FLAC have headers like those of ADTS, and several of them follow each other by chance."""


def files_in(content: Content, format_name: str, start: int) -> Iterator[tuple[str, Part]]:
    """Yield the format and the part of each file in a file, the first of which begins at a position.

    Parameters
    ----------
    content
        The file.
    format_name
        Format of the first file, as `mfcc_assets.audio.signature` names it.
    start
        Its position.

    Yields
    ------
    tuple
        The parts leave out tags between the files. There is more than one only where a file ends by its own account and
        the signature of audio follows, or where the beginning of another file lies within one that does not tell its
        end.
    """
    while True:
        end = _ENDS.get(format_name, _next_beginning)(content, start) or len(content)
        following = next_file(content, end) if start < end < len(content) else None
        if following is None:
            yield format_name, (start, len(content))
            return
        yield format_name, (start, end)
        format_name, start = following


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


def frames_and_next_file(content: Content, start: int) -> tuple[list[Run], tuple[str, int] | None]:
    """Return the runs of frames from a position on, and the file of another format that begins behind one of them."""
    runs: list[Run] = []
    for run in runs_of_frames(content, start):
        runs.append(run)
        following = next_file(content, run.end)
        if following is not None and following[0] not in FRAME_FORMATS:
            return runs, following
    return runs, None


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


def _frames(content: Content, start: int) -> int | None:
    runs, following = frames_and_next_file(content, start)
    return runs[-1].end if following else None


def _next_beginning(content: Content, start: int) -> int | None:
    """Return where another file begins behind the beginning of one that does not tell how many bytes it has."""
    found = _BEGINNINGS.search(content, start + 1)
    while found is not None and next_file(content, found.start()) is None:
        found = _BEGINNINGS.search(content, found.start() + 1)
    end = found.start() if found else None
    frames = find_frames(content, start + 1, len(content) if end is None else end, _FRAMES_BEHIND_OTHERS)
    return end if frames is None else frames


def _flac(content: Content, start: int) -> int | None:
    return _next_beginning_behind_metadata(content, start, "big", lambda kind: bool(kind & 0x80))


def _tak(content: Content, start: int) -> int | None:
    return _next_beginning_behind_metadata(content, start, "little", lambda kind: not kind & 0x7F)


def _next_beginning_behind_metadata(
    content: Content, start: int, byte_order: Literal["big", "little"], is_last: Callable[[int], bool]
) -> int | None:
    """Return where another file begins behind the blocks of metadata.

    These blocks may contain the header of the file that was compressed. In damaged blocks, it is searched for as well.
    """
    place = start + 4
    while len(header := content[place : place + 4]) == 4:
        place += 4 + int.from_bytes(header[1:], byte_order)
        if is_last(header[0]):
            return _next_beginning(content, place - 1)
    return _next_beginning(content, start)


def _ogg(content: Content, start: int) -> int | None:
    """Return where another file or the next link of a chain begins. Interleaved streams belong to one (RFC 3533)."""
    place, only_first_pages = start, True
    while place >= 0:
        size, flags = _ogg_page(content, place)
        if not size:
            if next_file(content, place) is not None:
                return place
            place = content.find(b"OggS\x00", place + 1)  # behind damage
            continue
        begins_stream = bool(flags & _OGG_FIRST_PAGE)
        if begins_stream and not only_first_pages:
            return place
        only_first_pages &= begins_stream
        place += size
    return None


def has_last_page(content: Content, start: int = 0) -> bool:
    """Return True if the last page of an Ogg file is complete and marked as the last one of its stream (RFC 3533)."""
    place = content.rfind(b"OggS\x00", start)
    size, flags = _ogg_page(content, place) if place >= 0 else (0, 0)
    return 0 < size <= len(content) - place and bool(flags & _OGG_LAST_PAGE)


def _ogg_page(content: Content, place: int) -> tuple[int, int]:
    """Return the size in bytes and the flags of the page of Ogg at a place; both are 0 if there is none."""
    header = content[place : place + _OGG_HEADER_BYTES]
    if len(header) < _OGG_HEADER_BYTES or header[:5] != b"OggS\x00":
        return 0, 0
    table = content[place + _OGG_HEADER_BYTES : place + _OGG_HEADER_BYTES + header[26]]
    return _OGG_HEADER_BYTES + header[26] + sum(table), header[5]


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
    "TAK": _tak,
    "CAF": _pieces(_chunk_bytes, "CAF", 8),
    "MP4": _pieces(_box_bytes, "MP4"),
    "ASF": _pieces(_object_bytes, "ASF"),
    "Flash Video": _pieces(_flash_tag_bytes, "Flash Video", 13),
    "Matroska": _pieces(_element_bytes, "Matroska"),
    **dict.fromkeys(FRAME_FORMATS, _frames),
}
"""Functions that return where a file of each format ends by its own account, or None if it does not say. Where another
file begins is searched for in all other formats."""
