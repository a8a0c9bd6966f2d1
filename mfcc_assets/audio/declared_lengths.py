"""Reads from the headers of WAV, AIFF and ASF how long the audio should be.

The decoders tell only how much of it is in the file, so that a file that was cut off looks complete.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_CHUNK = 8
_MOST_CHUNKS = 1_000

_UNKNOWN_SIZE = 0x7FFF_0000
"""From this size in bytes on, the program that wrote the header did not know the size: it could not seek back."""

_PCM = {0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE}
"""Format tags of WAV whose samples all have the same number of bytes."""

_SMALLEST_OVERHANG = 1 << 16
"""Bytes behind the samples of a WAV that cannot be a forgotten piece of a tag."""

_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_PROPERTIES = struct.Struct("<16s8s16sQQQQQQL")
_ASF_IS_BROADCAST = 1


@dataclass(frozen=True)
class WavLength:
    """What the header of a WAV says of the length of its samples.

    Attributes
    ----------
    seconds
        Declared length, or 0 if the header does not say.
    is_too_small
        True if the header declares less than the file holds: the writer was interrupted, or its sizes of 32 bits had an
        overflow at 4 GB.
    """

    seconds: float
    is_too_small: bool


def wav_length(file: BinaryIO, start: int) -> WavLength:
    """Read the length of a WAV that begins at a position of a file."""
    end = file.seek(0, 2)
    bytes_a_second = 0
    for name, place, size in _chunks(file, start, end, "<"):
        if name == b"fmt ":
            file.seek(place)
            form = file.read(12)
            tag, _, _, rate = struct.unpack("<HHIi", form) if len(form) == 12 else (0, 0, 0, 0)
            bytes_a_second = rate if tag in _PCM else 0
        elif name == b"data":
            is_wide = _begins_with(file, start, (b"RF64", b"BW64"))
            is_unknown = size == 0 or size >= _UNKNOWN_SIZE
            overhang = end - place - size
            too_small = not is_wide and (
                (size == 0 and overhang > 0)
                or (overhang > _SMALLEST_OVERHANG and not _begins_chunk(file, place + size + size % 2, end))
            )
            is_known = bytes_a_second > 0 and not (is_unknown or is_wide or too_small)
            return WavLength(size / bytes_a_second if is_known else 0.0, too_small)
    return WavLength(0.0, is_too_small=False)


def aiff_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of an AIFF that begins at a position of a file; 0 if it is unknown."""
    for name, place, _ in _chunks(file, start, file.seek(0, 2), ">"):
        if name == b"COMM":
            file.seek(place)
            common = file.read(18)
            if len(common) < 18:
                break
            frames, exponent, mantissa = struct.unpack_from(">2xI2xHQ", common)
            # The rate is a number of 80 bits.
            rate = mantissa * 2.0 ** (min(exponent & 0x7FFF, 16_446) - 16_446)
            return frames / rate if rate >= 1 else 0.0
    return 0.0


def asf_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of an ASF file that begins at a position of a file; 0 if it is unknown."""
    file.seek(start)
    head = file.read(1 << 16)
    place = head.find(_ASF_FILE_PROPERTIES)
    if place < 0 or len(head) < place + _ASF_PROPERTIES.size:
        return 0.0
    *_, play_duration, _, preroll, flags = _ASF_PROPERTIES.unpack_from(head, place)
    # The duration is in units of 100 ns and contains the time for which a player waits, in milliseconds.
    return 0.0 if flags & _ASF_IS_BROADCAST else float(max(0.0, play_duration / 1e7 - preroll / 1e3))


def _chunks(file: BinaryIO, start: int, end: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, position and size of the chunks in a RIFF or IFF file. A chunk may declare more than there is."""
    place = start + 12
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        header = file.read(_CHUNK)
        if len(header) < _CHUNK or place > end:
            return
        name, size = struct.unpack(f"{order}4sI", header)
        yield name, place + _CHUNK, size
        place += _CHUNK + size + size % 2


def _begins_chunk(file: BinaryIO, place: int, end: int) -> bool:
    file.seek(place)
    header = file.read(_CHUNK)
    if header[:3] in {b"ID3", b"TAG"} or not header.strip(b"\x00"):
        return True
    (size,) = struct.unpack("<I", header[4:]) if len(header) == _CHUNK else (end,)
    return header[:4].isascii() and header[:4].decode("latin-1").isprintable() and place + _CHUNK + size <= end


def _begins_with(file: BinaryIO, place: int, marks: tuple[bytes, ...]) -> bool:
    file.seek(place)
    return file.read(4) in marks
